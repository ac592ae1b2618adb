use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// By which way a promotion came before its gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Somebody asked over the API.
    Api,
    /// A request to MLflow, through the gateway.
    Mlflow,
    /// An admission review of Kubernetes.
    Kubernetes,
    /// None: the change was noticed once it was made, and judged after the fact.
    Bypassed,
}

/// Text that names no origin.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not an origin; write `api`, `mlflow`, `kubernetes` or `bypassed`")]
pub struct UnknownOrigin(pub String);

impl Origin {
    /// Every origin.
    pub const ALL: [Self; 4] = [Self::Api, Self::Mlflow, Self::Kubernetes, Self::Bypassed];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Mlflow => "mlflow",
            Self::Kubernetes => "kubernetes",
            Self::Bypassed => "bypassed",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Origin {
    type Err = UnknownOrigin;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|origin| origin.as_str() == text)
            .ok_or_else(|| UnknownOrigin(text.chars().take(100).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_reads_what_it_writes() {
        for origin in Origin::ALL {
            assert_eq!(origin.to_string().parse(), Ok(origin));
            assert_eq!(serde_json::to_string(&origin).unwrap(), format!("\"{origin}\""));
        }
    }

    #[test]
    fn rejects_an_unknown_origin_naming_the_known_ones() {
        let message = "webhook".parse::<Origin>().unwrap_err().to_string();
        for origin in Origin::ALL {
            assert!(message.contains(origin.as_str()), "{message}");
        }
    }
}
