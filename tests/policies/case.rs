//! A case: one promotion, its evidence, and what the policy has to say of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lockgate::config::check_params;
use lockgate::evidence::{About, Collector, Side};
use lockgate::model::{
    Check, ModelVersion, Outcome, Promotion, Snapshot, Target, Timestamp, Undecided,
};
use lockgate::policy::{Facts, Limits, Policy};
use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// One file of `policies/NAME/cases/`.
pub(crate) struct Case {
    pub(crate) file: PathBuf,
    content: Content,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    /// What the case shows, in one line.
    summary: String,
    promotion: Request,
    params: Value,
    /// lockgate's own evidence JSON, without the key that names the format.
    evidence: Map<String, Value>,
    baseline: Option<Map<String, Value>>,
    expect: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Request {
    model: String,
    version: String,
    to: String,
    requested_by: Option<String>,
    at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Expected {
    /// Every check, in its order.
    Outcome(Vec<ExpectedCheck>),
    /// The policy judges nothing, for a reason that the pattern matches.
    Refusal(ExpectedRefusal),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedCheck {
    rule: String,
    about: Option<String>,
    outcome: Outcome,
    /// Pattern that the message has to match somewhere.
    message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ExpectedRefusal {
    Params(String),
    Evidence(String),
}

/// The cases of one policy, ordered by name.
pub(crate) fn cases(policy: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").join(policy).join("cases");
    let entries = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{policy} has no cases: {}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(Case::read).collect()
}

impl Case {
    fn read(file: PathBuf) -> Self {
        let text = std::fs::read_to_string(&file).unwrap();
        let content: Content = serde_saphyr::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(!content.summary.is_empty(), "{}: says not what it shows", file.display());
        Self { file, content }
    }

    pub(crate) fn name(&self) -> &str {
        self.file.file_stem().unwrap().to_str().unwrap()
    }

    /// Why the params do not fit the policy's own schema; none when they do.
    pub(crate) fn params_mismatch(&self, schema: &str) -> Option<String> {
        check_params(schema, &self.content.params).err().map(|error| error.to_string())
    }

    /// Rules that the case expects a check of.
    pub(crate) fn rules(&self) -> Vec<(&str, Outcome)> {
        match &self.content.expect {
            Expected::Outcome(checks) => {
                checks.iter().map(|check| (check.rule.as_str(), check.outcome)).collect()
            }
            Expected::Refusal(_) => Vec::new(),
        }
    }

    pub(crate) fn refuses(&self) -> bool {
        matches!(self.content.expect, Expected::Refusal(_))
    }

    /// What `policy` answers.
    pub(crate) fn run(&self, policy: &dyn Policy) -> Result<Vec<Check>, Undecided> {
        self.run_with(policy, &self.content.params)
    }

    /// What `policy` answers to other params.
    pub(crate) fn run_with(
        &self,
        policy: &dyn Policy,
        params: &Value,
    ) -> Result<Vec<Check>, Undecided> {
        let facts = Facts::new(self.promotion(), Arc::new(self.snapshot()));
        policy.evaluate(&facts, &params.to_string(), &Limits::default()).result
    }

    /// What is wrong with an answer, line for line; empty when it is as expected.
    pub(crate) fn mismatches(&self, answer: &Result<Vec<Check>, Undecided>) -> String {
        let matches = |pattern: &str, text: &str| Regex::new(pattern).unwrap().is_match(text);
        let fits = match (&self.content.expect, answer) {
            (Expected::Outcome(expected), Ok(checks)) => {
                expected.len() == checks.len()
                    && expected.iter().zip(checks).all(|(expected, check)| {
                        let message = expected.message.as_deref().unwrap_or_default();
                        expected.rule == check.rule
                            && expected.about == check.about
                            && expected.outcome == check.outcome
                            && matches(message, &check.message)
                    })
            }
            (
                Expected::Refusal(ExpectedRefusal::Params(pattern)),
                Err(Undecided::ParamsRefused { detail }),
            )
            | (
                Expected::Refusal(ExpectedRefusal::Evidence(pattern)),
                Err(Undecided::EvidenceRefused { detail }),
            ) => matches(pattern, detail),
            _ => false,
        };
        if fits {
            return String::new();
        }
        format!(
            "{} ({})\n  expected\n{}  got\n{}",
            self.file.display(),
            self.content.summary,
            self.content.expect.lines(),
            lines(answer)
        )
    }

    fn promotion(&self) -> Promotion {
        let Request { model, version, to, requested_by, at } = &self.content.promotion;
        Promotion {
            subject: ModelVersion {
                registry: "local".into(),
                model: model.clone(),
                version: version.clone(),
                digest: None,
            },
            source: None,
            target: to.parse::<Target>().unwrap(),
            requested_by: requested_by.clone(),
            at: at.parse::<Timestamp>().unwrap(),
        }
    }

    fn snapshot(&self) -> Snapshot {
        let promotion = self.promotion();
        let mut collector = Collector::new(
            About {
                model: Some(promotion.subject.model),
                version: Some(promotion.subject.version),
                digests: Vec::new(),
                target: promotion.target,
            },
            Vec::new(),
        );
        let sides = [
            (Some(&self.content.evidence), Side::Candidate),
            (self.content.baseline.as_ref(), Side::Baseline),
        ];
        for (evidence, side) in sides {
            let Some(evidence) = evidence else { continue };
            let mut evidence = evidence.clone();
            evidence.insert("lockgate".into(), json!("evidence/v1"));
            let bytes = Value::Object(evidence).to_string().into_bytes();
            collector.add_bytes("case.json", &bytes, side);
        }
        let frozen = collector
            .freeze()
            .unwrap_or_else(|errors| panic!("{}: {errors:?}", self.file.display()));
        Arc::unwrap_or_clone(frozen.snapshot)
    }
}

impl Expected {
    fn lines(&self) -> String {
        match self {
            Self::Outcome(checks) => checks
                .iter()
                .map(|ExpectedCheck { rule, about, outcome, message }| {
                    line(rule, about.as_deref(), *outcome, message.as_deref().unwrap_or(".*"))
                })
                .collect(),
            Self::Refusal(ExpectedRefusal::Params(pattern)) => {
                format!("    refusal of the params: {pattern}\n")
            }
            Self::Refusal(ExpectedRefusal::Evidence(pattern)) => {
                format!("    refusal of the evidence: {pattern}\n")
            }
        }
    }
}

fn lines(answer: &Result<Vec<Check>, Undecided>) -> String {
    match answer {
        Ok(checks) => checks
            .iter()
            .map(|check| line(&check.rule, check.about.as_deref(), check.outcome, &check.message))
            .collect(),
        Err(reason) => format!("    {reason}\n"),
    }
}

fn line(rule: &str, about: Option<&str>, outcome: Outcome, message: &str) -> String {
    format!("    {outcome:?} {rule} [{}] {message}\n", about.unwrap_or("-"))
}
