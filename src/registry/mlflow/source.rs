use std::fmt;

use super::mutation::is_version;
use super::refusal::quoted;

/// Where the files of a model version are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionSource {
    /// Those of another version: `models:/NAME/3`.
    Version {
        /// Its model.
        model: String,
        /// Its version.
        version: String,
    },
    /// Those of a logged model: `models:/m-…`.
    LoggedModel(String),
    /// Below the artifacts of a run: `runs:/RUN/PATH`.
    Run {
        /// The run.
        run_id: String,
        /// The source as it is written.
        uri: String,
    },
    /// Anywhere else.
    Elsewhere(String),
}

impl VersionSource {
    /// Reads a source.
    ///
    /// MLflow looks up `models:/NAME/Production`, `models:/NAME@alias` and `models:/NAME/latest`
    /// when it is asked to create the version, by which time they may mean another one; and reads
    /// the scheme in any case and past blanks. Of all these only the plain form is taken.
    ///
    /// # Errors
    /// What to write instead.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let plain = |c: char| !c.is_control() && !c.is_whitespace();
        let scheme = text.trim().split(':').next().unwrap_or_default().to_ascii_lowercase();
        if text.trim() != text || text.chars().any(char::is_control) {
            return Err(format!(
                "the source {} has blanks at its ends or control characters",
                quoted(text)
            ));
        }
        match scheme.as_str() {
            "models" => Self::model(text).ok_or_else(|| {
                format!("the source {} could come to mean another version; write it as `models:/NAME/3` or `models:/m-ID`", quoted(text))
            }),
            "runs" => {
                let rest = text.strip_prefix("runs:/").filter(|rest| rest.chars().all(plain));
                let run = rest.and_then(|rest| rest.split_once('/'));
                match run {
                    Some((run, path)) if is_id(run) && !climbs(path) => {
                        Ok(Self::Run { run_id: run.to_owned(), uri: text.to_owned() })
                    }
                    _ => Err(format!("the source {} is no path in a run; write it as `runs:/RUN_ID/PATH`", quoted(text))),
                }
            }
            _ => Ok(Self::Elsewhere(text.to_owned())),
        }
    }

    fn model(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("models:/")?;
        match rest.split_once('/') {
            None => {
                let id = rest.strip_prefix("m-").filter(|id| is_id(id))?;
                Some(Self::LoggedModel(format!("m-{id}")))
            }
            Some((model, version)) => {
                let plain = !model.is_empty()
                    && model.trim() == model
                    && !model.contains([':', '@', '%', '?', '#', '\\']);
                (plain && is_version(version))
                    .then(|| Self::Version { model: model.to_owned(), version: version.to_owned() })
            }
        }
    }
}

impl fmt::Display for VersionSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { model, version } => write!(f, "models:/{model}/{version}"),
            Self::LoggedModel(id) => write!(f, "models:/{id}"),
            Self::Run { uri, .. } => f.write_str(uri),
            Self::Elsewhere(text) => f.write_str(text),
        }
    }
}

/// Identifiers that MLflow gives: of runs, logged models and workspaces.
pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether a path leads out of the folder it is in.
pub(super) fn climbs(path: &str) -> bool {
    path.contains(['\\', '%', '?', '#']) || path.split('/').any(|part| matches!(part, "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_plain_forms_and_writes_them_back() {
        for text in
            ["models:/fraud/3", "models:/m-0af9", "runs:/8c01/model", "s3://bucket/x", "/tmp/x"]
        {
            assert_eq!(
                VersionSource::parse(text).map(|source| source.to_string()),
                Ok(text.into())
            );
        }
        assert_eq!(
            VersionSource::parse("models:/fraud/3"),
            Ok(VersionSource::Version { model: "fraud".into(), version: "3".into() })
        );
    }

    #[test]
    fn rejects_what_could_come_to_mean_another_version() {
        for text in [
            "models:/fraud/Production",
            "models:/fraud@champion",
            "models:/fraud/latest",
            "models:///fraud/1",
            "models://host/fraud/1",
            "MODELS:/fraud/1",
            " models:/fraud/1",
            "models:/fraud/01",
            "models:/fra%75d/1",
            "models:/fraud/1/x",
            "models:/m-",
            "runs:/a/../b",
            "runs:/a",
            "Runs:/a/b",
            "s3://b/x\n",
        ] {
            assert!(VersionSource::parse(text).is_err(), "{text}");
        }
    }
}
