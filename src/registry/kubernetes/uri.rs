//! From the address of a model's files to the version it is.

use std::fmt;
use std::str::FromStr;

use super::Rules;
use crate::model::ModelVersion;

/// Bytes of an address.
const LONGEST: usize = 4096;

/// A form of addresses that hold a model's name and version, as the operator gives it:
/// `s3://models/{model}/{version}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Model,
    Version,
    /// Whatever follows; only at the end.
    Rest,
}

/// Text that is no form of addresses.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is no form of storage addresses; write one with `{{model}}` and `{{version}}` as whole segments of the path, such as `s3://models/{{model}}/{{version}}`, and `{{path}}` at its end for anything below"
)]
pub struct InvalidMapping(String);

impl FromStr for Mapping {
    type Err = InvalidMapping;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidMapping(text.chars().take(200).collect());
        let (scheme, path) = text.split_once(':').ok_or_else(invalid)?;
        if matches!(scheme, "models" | "model-registry") || !is_scheme(scheme) {
            return Err(invalid());
        }
        let mut parts = vec![Part::Literal(scheme.to_owned() + ":")];
        let segments: Vec<&str> = path.split('/').collect();
        for (index, segment) in segments.iter().enumerate() {
            let part = match *segment {
                "{model}" => Part::Model,
                "{version}" => Part::Version,
                "{path}" if index + 1 == segments.len() => Part::Rest,
                literal if literal.contains(['{', '}', '?', '#', '%']) => return Err(invalid()),
                literal => Part::Literal(literal.to_owned()),
            };
            parts.push(part);
        }
        let count = |wanted: &Part| parts.iter().filter(|part| *part == wanted).count();
        if count(&Part::Model) != 1 || count(&Part::Version) != 1 {
            return Err(invalid());
        }
        Ok(Self { text: text.to_owned(), parts })
    }
}

impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+.-".contains(c))
}

impl Mapping {
    /// The model and version in an address of this form.
    fn read<'a>(&self, uri: &'a str) -> Option<(&'a str, &'a str)> {
        let (scheme, path) = uri.split_once(':')?;
        let mut parts = self.parts.iter();
        let Some(Part::Literal(own)) = parts.next() else { return None };
        if own.strip_suffix(':')? != scheme {
            return None;
        }
        let mut segments = path.split('/');
        let (mut model, mut version) = (None, None);
        for part in parts {
            if *part == Part::Rest {
                // Any number of segments, none of which leads out of the folder again.
                let inside = segments.all(|segment| !segment.is_empty() && is_plain(segment));
                return inside.then_some(()).and(model.zip(version));
            }
            let segment = segments.next()?;
            match part {
                Part::Literal(literal) if literal == segment => {}
                Part::Literal(_) | Part::Rest => return None,
                Part::Model => model = Some(segment).filter(|segment| is_plain(segment)),
                Part::Version => version = Some(segment).filter(|segment| is_plain(segment)),
            }
        }
        // A folder may be written with a slash at its end.
        let ended = match segments.next() {
            None => true,
            Some("") => segments.next().is_none(),
            Some(_) => false,
        };
        if ended { model.zip(version) } else { None }
    }
}

/// A model registry of Kubeflow that models may be taken from: `HOST` or `HOST:PORT`, as it stands in
/// `model-registry://HOST:PORT/NAME/VERSION`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryHost(String);

/// Text that is no host.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is no host; write it as it stands in addresses, such as `model-registry-service.kubeflow.svc.cluster.local:8080`"
)]
pub struct InvalidHost(String);

impl FromStr for RegistryHost {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = text.split_once(':').map_or((text, None), |(a, b)| (a, Some(b)));
        let named = !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        if named && port.is_none_or(|port| port.parse::<u16>().is_ok()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidHost(text.chars().take(200).collect()))
        }
    }
}

/// Whether a piece of an address means itself to whatever reads it: not empty, not `.` or `..`,
/// and without anything that some decode.
fn is_plain(segment: &str) -> bool {
    !segment.is_empty()
        && segment != "."
        && segment != ".."
        && segment.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~+@ ()".contains(c))
}

/// What an address names.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) subject: ModelVersion,
    /// Whether by a form that the operator gave.
    pub(super) mapped: bool,
}

/// The version that an address names, or what is wrong with it.
pub(super) fn read(uri: &str, rules: &Rules) -> Result<Named, String> {
    let shown: String = uri.chars().filter(|c| !c.is_control()).take(200).collect();
    if uri.len() > LONGEST || uri.chars().any(char::is_control) {
        return Err(format!("`{shown}` is too long or not plain text"));
    }
    let of = |registry: &str, model: &str, version: &str, mapped: bool| Named {
        subject: ModelVersion {
            registry: registry.to_owned(),
            model: model.to_owned(),
            version: version.to_owned(),
            digest: None,
        },
        mapped,
    };
    if let Some(rest) = uri.strip_prefix("models:/") {
        return match rest.split_once('/') {
            Some((model, version)) if is_plain(model) && is_number(version) => {
                Ok(of("mlflow", model, version, false))
            }
            _ => Err(format!(
                "`{shown}` names no version of a model, but what may mean another tomorrow; write `models:/NAME/VERSION` with the number of the version"
            )),
        };
    }
    if let Some(rest) = uri.strip_prefix("model-registry://") {
        let Some((host, model, version)) = model_registry(rest) else {
            return Err(format!(
                "`{shown}` does not say which version of a model is taken from which registry; write `model-registry://HOST/NAME/VERSION`"
            ));
        };
        if !rules.registries.iter().any(|known| known.0 == host) {
            return Err(format!(
                "`{shown}` is of a registry that nobody here vouches for; name one that the server was told of, or have it told of `{host}` with --model-registry"
            ));
        }
        return Ok(of("model-registry", model, version, false));
    }
    let found: Vec<_> = rules.mappings.iter().filter_map(|mapping| mapping.read(uri)).collect();
    let storage = || uri.split_once(':').map_or("", |(scheme, _)| scheme);
    match found.as_slice() {
        [(model, version), others @ ..]
            if others.iter().all(|other| other == &(*model, *version)) =>
        {
            Ok(of(storage(), model, version, true))
        }
        [] => Err(format!(
            "`{shown}` does not say which version of a model it holds; write `models:/NAME/VERSION`, or have the server told the form of such addresses with --storage-uri"
        )),
        _ => Err(format!("`{shown}` can be read as several versions of models")),
    }
}

/// Versions of MLflow are numbers. One with leading zeros is the same to MLflow and another text
/// to everybody else.
fn is_number(text: &str) -> bool {
    !text.starts_with('0')
        && (1..=18).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `HOST/NAME/VERSION`. Of two segments Kubeflow's reader takes the first for a host when somebody
/// answers there, and the second for a name then; the latest version of it is what would be served.
fn model_registry(rest: &str) -> Option<(&str, &str, &str)> {
    let (host, rest) = rest.split_once('/')?;
    let (model, version) = rest.split_once('/')?;
    (is_plain(model) && is_plain(version)).then_some((host, model, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(uri: &str, mappings: &[&str]) -> Option<String> {
        let rules = Rules {
            mappings: mappings.iter().map(|text| text.parse().unwrap()).collect(),
            registries: vec!["registry.example:8080".parse().unwrap()],
            ..Rules::default()
        };
        read(uri, &rules).ok().map(|Named { subject, mapped }| {
            assert_eq!(mapped, !mappings.is_empty());
            format!("{} {subject}", subject.registry)
        })
    }

    #[test]
    fn reads_versions_of_registries() {
        for (uri, expected) in [
            ("models:/fraud/3", "mlflow fraud/3"),
            ("models:/fraud detector/12", "mlflow fraud detector/12"),
            ("model-registry://registry.example:8080/fraud/v1.2", "model-registry fraud/v1.2"),
        ] {
            assert_eq!(version(uri, &[]).as_deref(), Some(expected), "{uri}");
        }
    }

    #[test]
    fn refuses_what_may_mean_another_version_tomorrow() {
        for uri in [
            "models:/fraud",
            "models:/fraud/",
            "models:/fraud@champion",
            "models:/fraud/Production",
            "models:/fraud/latest",
            "models:/m-0123456789abcdef",
            "models:/fraud/03",
            "models:/fraud/3/",
            "models:/fraud/3/model",
            "models://fraud/3",
            "models:/../fraud/3",
            "models:/fr%61ud/3",
            "models:/fraud/3?x",
            "Models:/fraud/3",
            "model-registry://fraud",
            "model-registry://fraud/3",
            "model-registry://evil.example:8080/fraud/3",
            "model-registry://registry.example/fraud/3",
            "model-registry://registry.example:8080/fraud",
            "model-registry://registry.example:8080/fraud/",
            "model-registry://registry.example:8080/fraud/3/4",
            "model-registry://registry.example:8080/fraud/3?namespace=mine",
            "model-registry://@registry.example:8080/fraud/3",
            "model-registry:///fraud/3",
            "s3://models/fraud/3",
            "",
            "fraud/3",
        ] {
            assert_eq!(version(uri, &[]), None, "{uri}");
        }
    }

    #[test]
    fn reads_addresses_of_a_form_that_the_operator_gives() {
        let forms = ["s3://models/{model}/{version}", "gs://m/{model}/v/{version}/{path}"];
        for (uri, expected) in [
            ("s3://models/fraud/3", Some("s3 fraud/3")),
            ("s3://models/fraud/3/", Some("s3 fraud/3")),
            ("gs://m/fraud/v/3/model.pkl", Some("gs fraud/3")),
            ("gs://m/fraud/v/3/a/b", Some("gs fraud/3")),
            ("gs://m/fraud/v/3/../4", None),
            ("s3://models/fraud/3/more", None),
            ("s3://models/fraud", None),
            ("s3://models/../3", None),
            ("s3://other/fraud/3", None),
            ("s3://models//3", None),
            ("S3://models/fraud/3", None),
        ] {
            assert_eq!(version(uri, &forms).as_deref(), expected, "{uri}");
        }
    }

    #[test]
    fn refuses_an_address_that_two_forms_read_differently() {
        let forms = ["s3://b/{model}/{version}", "s3://b/{version}/{model}"];
        assert_eq!(version("s3://b/fraud/3", &forms), None);
        assert_eq!(version("s3://b/3/3", &forms).as_deref(), Some("s3 3/3"));
    }

    #[test]
    fn a_registry_is_a_host_with_or_without_a_port() {
        for text in ["registry", "registry.kubeflow.svc:8080"] {
            assert!(text.parse::<RegistryHost>().is_ok(), "{text}");
        }
        for text in ["", ":8080", "a:", "a:b", "a/b", "a:1:2", "model-registry://a", "a:70000"] {
            assert!(text.parse::<RegistryHost>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_form_has_one_model_and_one_version() {
        for text in [
            "s3://b/{model}",
            "s3://b/{version}",
            "s3://b/{model}-{version}",
            "models:/{model}/{version}",
            "s3://b/{model}/{version}/{model}",
            "s3://b/{path}/{model}/{version}",
            "{model}/{version}",
        ] {
            assert!(text.parse::<Mapping>().is_err(), "{text}");
        }
    }
}
