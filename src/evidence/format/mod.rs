//! The formats: how each is told from the others, and who reads it.

mod grype;
mod lm_eval;
pub(super) mod lockgate;
mod mlflow;
mod modelscan;
mod opencost;
mod sarif;
mod scanner;
mod trivy;

use std::fmt;
use std::str::FromStr;

use super::error::{Problem, quoted};
use super::json::Parsed;
use super::node::Node;
use super::said::Said;
use super::tree::{Object, Tree};
use super::{About, Currency, Side};
use crate::model::SourceName;

/// A format of evidence that lockgate reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// lockgate's own evidence JSON.
    Lockgate,
    /// A run, as `GET runs/get` of the MLflow REST API returns it.
    MlflowRun,
    /// A model version, as `GET model-versions/get` of the MLflow REST API returns it.
    MlflowModelVersion,
    /// A registered model, as `GET registered-models/get` of the MLflow REST API returns it.
    MlflowRegisteredModel,
    /// A logged model, as `GET logged-models/ID` of the MLflow REST API returns it.
    MlflowLoggedModel,
    /// Results of EleutherAI's lm-evaluation-harness.
    LmEval,
    /// A Trivy JSON report, schema version 2.
    Trivy,
    /// A Grype JSON report.
    Grype,
    /// SARIF 2.1.0.
    Sarif,
    /// A ModelScan JSON report.
    ModelScan,
    /// Allocations, as the OpenCost API returns them.
    OpenCost,
}

/// Text that names no format.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not an evidence format; write one of {known}", known = names(&Format::ALL))]
pub struct UnknownFormat(pub String);

impl Format {
    /// Every format.
    pub const ALL: [Self; 11] = [
        Self::Lockgate,
        Self::MlflowRun,
        Self::MlflowModelVersion,
        Self::MlflowRegisteredModel,
        Self::MlflowLoggedModel,
        Self::LmEval,
        Self::Trivy,
        Self::Grype,
        Self::Sarif,
        Self::ModelScan,
        Self::OpenCost,
    ];

    /// The word for it in config and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lockgate => "lockgate",
            Self::MlflowRun => "mlflow-run",
            Self::MlflowModelVersion => "mlflow-model-version",
            Self::MlflowRegisteredModel => "mlflow-registered-model",
            Self::MlflowLoggedModel => "mlflow-logged-model",
            Self::LmEval => "lm-eval",
            Self::Trivy => "trivy",
            Self::Grype => "grype",
            Self::Sarif => "sarif",
            Self::ModelScan => "modelscan",
            Self::OpenCost => "opencost",
        }
    }

    /// The one format that the top-level keys of `value` fit.
    ///
    /// Looks no deeper than it must: what does not fit below is the reader's to refuse, with its
    /// place.
    pub(super) fn detect(value: &Tree<'_>) -> Result<Self, Problem> {
        const MEND: &str = "name its format under `evidence` in the gate file, or remove it";
        let unknown = || Problem::whole(format!("is in no format that lockgate knows; {MEND}"));
        let object = value.as_object().ok_or_else(unknown)?;
        let fitting: Vec<Self> =
            Self::ALL.into_iter().filter(|format| format.fits(object)).collect();
        match fitting.as_slice() {
            [format] => Ok(*format),
            [] => Err(unknown()),
            several => Err(Problem::whole(format!("could be any of {}; {MEND}", names(several)))),
        }
    }

    fn fits(self, object: &Object<'_>) -> bool {
        let is_object = |key: &str| object.get(key).and_then(Tree::as_object).is_some();
        let is_array = |key: &str| object.get(key).and_then(Tree::as_list).is_some();
        let has = |key: &str| object.contains_key(key);
        match self {
            Self::Lockgate => has("lockgate"),
            Self::MlflowRun => is_object("run"),
            Self::MlflowModelVersion => is_object("model_version"),
            Self::MlflowRegisteredModel => is_object("registered_model"),
            // lockgate's own JSON has a `model` too, though without `info`.
            Self::MlflowLoggedModel => object
                .get("model")
                .and_then(Tree::as_object)
                .is_some_and(|model| model.contains_key("info")),
            Self::LmEval => is_object("results") && is_object("configs") && is_object("versions"),
            Self::Trivy => has("SchemaVersion"),
            Self::Grype => is_array("matches") && is_object("descriptor"),
            Self::Sarif => is_array("runs") && has("version"),
            Self::ModelScan => is_object("summary") && is_array("issues") && is_array("errors"),
            Self::OpenCost => has("code") && is_array("data"),
        }
    }

    /// Reads a document of this format.
    pub(super) fn read(self, parsed: &Parsed<'_>, context: &Context<'_>) -> Result<Said, Problem> {
        // lm-evaluation-harness writes its results through Python's `json.dumps` with its
        // defaults (lm_eval/loggers/evaluation_tracker.py), so a metric it could not compute is a
        // bare `NaN`. That is its word for "not measured" and is taken as such; no other format
        // has a reason to hold what is not JSON.
        if self != Self::LmEval {
            refuse_bare_words(parsed)?;
        }
        let root = Node::root(&parsed.value);
        match self {
            Self::Lockgate => lockgate::read(parsed, context),
            Self::MlflowRun => mlflow::run::read(&root, context),
            Self::MlflowModelVersion => mlflow::registry::read_version(&root, context),
            Self::MlflowRegisteredModel => mlflow::registry::read_model(&root, context),
            Self::MlflowLoggedModel => mlflow::logged_model::read(&root, context),
            Self::LmEval => lm_eval::read(&root, context),
            Self::Trivy => trivy::read(&root, context),
            Self::Grype => grype::read(&root, context),
            Self::Sarif => sarif::read(&root, context),
            Self::ModelScan => modelscan::read(&root, context),
            Self::OpenCost => opencost::read(&root, context),
        }
    }

    /// Whose word counts where several sources state the same metadata or tag: lower is first.
    /// A registered model speaks of all its versions, hence last.
    pub(super) const fn precedence(self) -> u8 {
        match self {
            Self::Lockgate => 0,
            Self::MlflowModelVersion => 1,
            Self::MlflowRun => 2,
            Self::MlflowLoggedModel => 3,
            Self::LmEval
            | Self::Trivy
            | Self::Grype
            | Self::Sarif
            | Self::ModelScan
            | Self::OpenCost => 4,
            Self::MlflowRegisteredModel => 5,
        }
    }
}

/// What a reader knows besides the document.
pub(super) struct Context<'a> {
    pub(super) about: &'a About,
    pub(super) side: Side,
    /// Name of the source; every item carries it.
    pub(super) source: SourceName,
    /// Currency of amounts that come without one.
    pub(super) currency: Option<&'a Currency>,
}

impl Context<'_> {
    /// Refuses a candidate's document that names another model or version.
    fn check_subject(
        &self,
        node: &Node<'_>,
        model: Option<&str>,
        version: Option<&str>,
    ) -> Result<(), Problem> {
        if self.side == Side::Baseline {
            return Ok(());
        }
        for (what, found, asked) in
            [("model", model, &self.about.model), ("version", version, &self.about.version)]
        {
            if let (Some(found), Some(asked)) = (found, asked)
                && found != asked
            {
                return Err(node.mismatch(format!(
                    "speaks of {what} `{}`, and the promotion is about {what} `{}`",
                    quoted(found),
                    quoted(asked)
                )));
            }
        }
        Ok(())
    }
}

/// Refuses what Python writes in place of a number.
pub(super) fn refuse_bare_words(parsed: &Parsed<'_>) -> Result<(), Problem> {
    match parsed.bare {
        None => Ok(()),
        Some((position, word)) => Err(Problem::at(
            position,
            format!("a bare `{word}` is not JSON; write it as `\"{word}\"`"),
        )),
    }
}

fn names(formats: &[Format]) -> String {
    let names: Vec<String> = formats.iter().map(|format| format!("`{format}`")).collect();
    names.join(", ")
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| UnknownFormat(quoted(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;

    fn detect(text: &str) -> Result<Format, Problem> {
        Format::detect(&json::read(text.as_bytes())?.parse()?.value)
    }

    #[test]
    fn a_format_reads_the_name_it_writes() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert!("Trivy".parse::<Format>().unwrap_err().to_string().contains("`lm-eval`"));
    }

    #[test]
    fn refuses_to_guess_between_formats() {
        let problem = detect(r#"{"SchemaVersion": 2, "run": {}}"#).unwrap_err();
        assert!(problem.text.contains("`mlflow-run`, `trivy`"), "{}", problem.text);
    }

    #[test]
    fn rejects_what_no_format_fits() {
        for text in ["{}", "[]", "1", r#"{"run": 1}"#, r#"{"model": {}}"#] {
            assert!(detect(text).is_err(), "{text}");
        }
    }
}
