use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderValue};

use super::plan::REGISTRY;
use super::route::{DEFAULT_WORKSPACE, WORKSPACE};

/// On whose behalf MLflow is asked. What it holds is never shown.
#[derive(Clone, Default)]
pub struct Caller {
    headers: HeaderMap,
}

/// Credentials in the environment that cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` cannot be sent in a header; remove line breaks and control characters from it")]
pub struct InvalidCredentials(&'static str);

impl Caller {
    /// The one who sent a request with these headers: by MLflow's own authentication, in the
    /// workspace that was asked for.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let kept = [AUTHORIZATION, COOKIE, WORKSPACE];
        let kept = kept.into_iter().flat_map(|name| {
            headers.get_all(&name).iter().map(move |value| (name.clone(), secret(value.clone())))
        });
        Self { headers: kept.collect() }
    }

    /// By the variables that MLflow's own client reads: `MLFLOW_TRACKING_TOKEN`, or
    /// `MLFLOW_TRACKING_USERNAME` with `MLFLOW_TRACKING_PASSWORD`, and `MLFLOW_WORKSPACE`.
    ///
    /// # Errors
    /// A value that cannot be sent.
    pub fn from_variables(
        variable: impl Fn(&'static str) -> Option<String>,
    ) -> Result<Self, InvalidCredentials> {
        const NAME: &str = "MLFLOW_TRACKING_USERNAME";
        const PASSWORD: &str = "MLFLOW_TRACKING_PASSWORD";
        const TOKEN: &str = "MLFLOW_TRACKING_TOKEN";
        const SPACE: &str = "MLFLOW_WORKSPACE";
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let mut headers = HeaderMap::new();
        // The client prefers the name and password too.
        let credentials = match (set(NAME), set(PASSWORD), set(TOKEN)) {
            (Some(name), Some(password), _) => {
                Some((PASSWORD, format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))))
            }
            (_, _, Some(token)) => Some((TOKEN, format!("Bearer {token}"))),
            _ => None,
        };
        if let Some((from, text)) = credentials {
            let value = HeaderValue::try_from(text).map_err(|_| InvalidCredentials(from))?;
            headers.insert(AUTHORIZATION, secret(value));
        }
        if let Some(workspace) = set(SPACE) {
            let value = HeaderValue::try_from(workspace).map_err(|_| InvalidCredentials(SPACE))?;
            headers.insert(WORKSPACE, value);
        }
        Ok(Self { headers })
    }

    /// By the variables of this process.
    ///
    /// # Errors
    /// A value that cannot be sent.
    pub fn from_env() -> Result<Self, InvalidCredentials> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// What [`crate::model::ModelVersion::registry`] is for the versions that are asked about: in
    /// each workspace a name means another model, so each is a registry of its own.
    #[must_use]
    pub fn registry(&self) -> String {
        let workspace =
            self.headers.get(WORKSPACE).map(|name| String::from_utf8_lossy(name.as_bytes()));
        match workspace.as_deref().map(str::trim) {
            None | Some("" | DEFAULT_WORKSPACE) => REGISTRY.to_owned(),
            Some(workspace) => format!("{REGISTRY}/{workspace}"),
        }
    }

    /// The headers that say who asks.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

fn secret(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(set: &[(&str, &str)]) -> Caller {
        let value = |name: &str| {
            let found = set.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Caller::from_variables(value).unwrap()
    }

    #[test]
    fn takes_credentials_as_the_client_of_mlflow_does() {
        let name = ("MLFLOW_TRACKING_USERNAME", "ann");
        let password = ("MLFLOW_TRACKING_PASSWORD", "s3cret");
        let token = ("MLFLOW_TRACKING_TOKEN", "t0ken");
        assert_eq!(
            caller(&[name, password, token]).headers()[AUTHORIZATION],
            "Basic YW5uOnMzY3JldA=="
        );
        assert_eq!(caller(&[name, token]).headers()[AUTHORIZATION], "Bearer t0ken");
        assert!(caller(&[name]).headers().is_empty());
        assert!(Caller::from_variables(|_| Some("a\nb".into())).is_err());
    }

    #[test]
    fn every_workspace_but_the_default_one_is_a_registry_of_its_own() {
        let within =
            |workspace: &'static str| caller(&[("MLFLOW_WORKSPACE", workspace)]).registry();
        assert_eq!(caller(&[]).registry(), "mlflow");
        assert_eq!(within("default"), "mlflow");
        assert_eq!(within("team-a"), "mlflow/team-a");
    }

    #[test]
    fn never_shows_what_it_holds() {
        let shown = format!("{:?}", caller(&[("MLFLOW_TRACKING_TOKEN", "t0ken")]));
        assert!(!shown.contains("t0ken"));
        let headers = caller(&[("MLFLOW_TRACKING_TOKEN", "t0ken")]).headers().clone();
        assert!(!format!("{headers:?}").contains("t0ken"));
    }
}
