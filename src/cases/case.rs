use std::sync::{Arc, LazyLock};

use cap_std::fs::Dir;
use globset::Glob;
use serde_json::Value;

use super::expected::{Difference, Expected};
use super::{MARK, raw};
use crate::config::{Diagnostics, Document, Fault, Ready, Shape, nearest};
use crate::evidence::{About, Assigned, Assignment, Collector, EvidenceError, Frozen, Side};
use crate::model::{
    Check, Description, Digest, ModelVersion, Outcome, Promotion, Snapshot, Target, Timestamp,
    Undecided,
};
use crate::policy::{Evaluation, Facts, Limits, Policy};

/// What evidence that a case itself holds is called.
const INLINE: &str = "case.json";
/// Name of the format of any JSON.
const DOCUMENT: &str = "document";

/// A case that was read and means something.
pub struct Case {
    pub(super) name: String,
    pub(super) summary: String,
    pub(super) params: Value,
    params_text: String,
    limits: Limits,
    facts: Facts,
    pub(super) expected: Expected,
    pub(super) document: Document,
}

/// Bytes of a case; larger evidence has files of its own.
pub(super) const MOST_BYTES: usize = 1 << 20;

static SCHEMA: LazyLock<Value> = LazyLock::new(super::schema);

static SHAPE: LazyLock<Result<Ready<'static>, String>> = LazyLock::new(|| {
    let empty = "write a promotion, evidence, params and what to expect";
    Shape { name: "case", empty, schema: &SCHEMA, most_bytes: MOST_BYTES }.ready()
});

impl Case {
    /// Reads a case. `path` is that of its file below `base`, which the paths in it do not lead out
    /// of; `file` is what messages call it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(
        text: &str,
        name: &str,
        file: &str,
        (base, path): (&Dir, &str),
    ) -> Result<Self, Diagnostics> {
        let shape = SHAPE.as_ref().map_err(|error| {
            // Cannot happen, as a test builds it; were it to, no case must pass unread.
            Diagnostics::of_file(file, format!("the schema of cases cannot be used: {error}"))
        })?;
        let document = Document::parse_one(text, file, shape)?;
        let folder = path.rsplit_once('/').map(|(folder, _)| folder);
        let reader = Reader { base, folder };
        let read = document.resolve(|raw| reader.read(raw).map_err(|fault| vec![fault]))?;
        let Read { summary, promotion, params, limits, snapshot, expected } = read;
        Ok(Self {
            name: name.to_owned(),
            summary,
            params_text: params.to_string(),
            params,
            limits,
            facts: Facts::new(promotion, snapshot),
            expected,
            document,
        })
    }

    /// Its name: the path of its file below the folder of all cases, without the extension.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its file is called in messages.
    #[must_use]
    pub fn file(&self) -> &str {
        self.document.file()
    }

    /// What it shows, in one line.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// What the policy is told.
    #[must_use]
    pub const fn params(&self) -> &Value {
        &self.params
    }

    /// The rules of which a check is expected, each with what it comes to.
    pub fn expected_rules(&self) -> impl Iterator<Item = (&str, Outcome)> {
        self.expected.rules().into_iter()
    }

    /// Whether there is to be no answer.
    #[must_use]
    pub const fn refuses(&self) -> bool {
        self.expected.refuses()
    }

    /// What `policy` answers.
    #[must_use]
    pub fn evaluate(&self, policy: &dyn Policy) -> Evaluation {
        policy.evaluate(&self.facts, &self.params_text, &self.limits)
    }

    /// What `policy` answers to other params.
    #[must_use]
    pub fn evaluate_with(&self, policy: &dyn Policy, params: &Value) -> Evaluation {
        policy.evaluate(&self.facts, &params.to_string(), &self.limits)
    }

    /// Holds an answer against what is expected.
    #[must_use]
    pub fn difference(&self, answer: &Result<Vec<Check>, Undecided>) -> Difference {
        self.expected.difference(answer)
    }

    /// Holds the rules that are expected against those that the policy describes.
    ///
    /// # Errors
    /// A rule that the policy does not have.
    pub fn check_rules(&self, description: &Description) -> Result<(), Diagnostics> {
        let known = || description.rules.iter().map(|rule| rule.code.as_str());
        let named = self.expected.named_rules();
        let Some((rule, at)) = named.iter().find(|(rule, _)| !known().any(|it| it == *rule)) else {
            return Ok(());
        };
        let hint = match nearest(rule, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let all: Vec<String> = known().map(|code| format!("`{code}`")).collect();
                format!("its rules are {}", all.join(", "))
            }
        };
        let rule: String = rule.chars().take(100).collect();
        let message = format!("the policy `{}` has no rule `{rule}`", description.name);
        let pointer = format!("/expect{at}");
        Err(self.document.refusal(vec![Fault { pointer, message, hint: Some(hint) }]))
    }
}

/// What a case means.
struct Read {
    summary: String,
    promotion: Promotion,
    params: Value,
    limits: Limits,
    snapshot: Arc<Snapshot>,
    expected: Expected,
}

struct Reader<'a> {
    base: &'a Dir,
    folder: Option<&'a str>,
}

impl Reader<'_> {
    fn read(&self, raw: raw::Case) -> Result<Read, Fault> {
        let promotion = self.promotion(&raw.promotion)?;
        let limits = raw.limits.resolve().map_err(|errors| {
            let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
            refuse("/limits", told.join("; "))
        })?;
        let snapshot = match &raw.snapshot {
            Some(file) => {
                let others = raw.evidence.is_some()
                    || raw.baseline.is_some()
                    || !raw.evidence_files.is_empty()
                    || !raw.baseline_files.is_empty();
                if others {
                    let message = "`snapshot` is all the evidence there is; leave the other out";
                    return Err(refuse("/snapshot", message.to_owned()));
                }
                self.frozen(file)?
            }
            None => self.collected(&promotion, &raw)?,
        };
        let expected = Expected::read(raw.expect)
            .map_err(|(at, message)| refuse(&format!("/expect{at}"), message))?;
        let params = Value::Object(raw.params);
        Ok(Read { summary: raw.summary, promotion, params, limits, snapshot, expected })
    }

    fn promotion(&self, raw: &raw::Promotion) -> Result<Promotion, Fault> {
        let target =
            |text: &str, at| text.parse::<Target>().map_err(|error| refuse(at, error.to_string()));
        let artifact = raw.digest.as_deref().map(|text| digest(text, "/promotion/digest"));
        Ok(Promotion {
            subject: ModelVersion {
                registry: raw.registry.clone().unwrap_or_else(|| "local".to_owned()),
                model: raw.model.clone(),
                version: raw.version.clone(),
                digest: artifact.transpose()?,
            },
            source: raw.from.as_deref().map(|text| target(text, "/promotion/from")).transpose()?,
            target: target(&raw.to, "/promotion/to")?,
            requested_by: raw.requested_by.clone(),
            at: raw
                .at
                .parse::<Timestamp>()
                .map_err(|error| refuse("/promotion/at", error.to_string()))?,
        })
    }

    fn frozen(&self, raw: &raw::SnapshotFile) -> Result<Arc<Snapshot>, Fault> {
        let expected = raw.digest.as_deref().map(|text| digest(text, "/snapshot/digest"));
        let frozen = Frozen::read(self.base, &self.below(&raw.file))
            .map_err(|error| refuse_file("/snapshot/file", error.to_string()))?;
        match expected.transpose()? {
            Some(digest) if digest != frozen.digest => {
                let message = format!(
                    "the snapshot `{}` has the digest `{}`: it was changed since",
                    raw.file, frozen.digest
                );
                let hint = "leave `digest` out to have the case judge the changed one".to_owned();
                let pointer = "/snapshot/digest".to_owned();
                Err(Fault { pointer, message, hint: Some(hint) })
            }
            _ => Ok(frozen.snapshot),
        }
    }

    fn collected(&self, promotion: &Promotion, raw: &raw::Case) -> Result<Arc<Snapshot>, Fault> {
        let about = About {
            model: Some(promotion.subject.model.clone()),
            version: Some(promotion.subject.version.clone()),
            digests: promotion.subject.digest.into_iter().collect(),
            target: promotion.target.clone(),
        };
        let sides = [
            (Side::Candidate, "evidence", &raw.evidence, &raw.evidence_files),
            (Side::Baseline, "baseline", &raw.baseline, &raw.baseline_files),
        ];
        let mut assignments = Vec::new();
        for (_, key, _, files) in sides {
            for (index, file) in files.iter().enumerate() {
                if let raw::EvidenceFile::Assigned(file) = file {
                    assignments.push(self.assignment(file, &format!("/{key}-files/{index}"))?);
                }
            }
        }
        let mut collector = Collector::new(about, assignments);
        for (side, _, inline, files) in sides {
            if let Some(inline) = inline {
                let mut evidence = inline.clone();
                evidence.insert(MARK.to_owned(), "evidence/v1".into());
                let bytes = Value::Object(evidence).to_string().into_bytes();
                collector.add_bytes(INLINE, &bytes, side);
            }
            for file in files {
                let (raw::EvidenceFile::Path(path)
                | raw::EvidenceFile::Assigned(raw::AssignedFile { path, .. })) = file;
                collector.add_within(self.base, &self.below(path), side);
            }
        }
        let frozen = collector.freeze().map_err(|errors| no_evidence(&errors))?;
        Ok(frozen.snapshot)
    }

    fn assignment(&self, raw: &raw::AssignedFile, at: &str) -> Result<Assignment, Fault> {
        let refuse = |key: &str, message: String| refuse(&format!("{at}/{key}"), message);
        let assigned = match (raw.format.as_str(), &raw.name, &raw.currency) {
            (DOCUMENT, Some(name), None) => Assigned::Document(name.clone()),
            (DOCUMENT, _, _) => {
                let message = "a `document` takes a `name`, and nothing else".to_owned();
                return Err(refuse("format", message));
            }
            ("opencost", None, Some(currency)) => Assigned::OpenCostIn(
                currency.parse().map_err(|error| refuse("currency", format!("{error}")))?,
            ),
            (format, None, None) => Assigned::Format(
                format.parse().map_err(|error| refuse("format", format!("{error}")))?,
            ),
            _ => {
                let message =
                    "`name` is for the format `document`, `currency` for `opencost`".to_owned();
                return Err(refuse("format", message));
            }
        };
        // Only a file's own name is matched, so that a folder of that name holds the same.
        let name = raw.path.rsplit('/').next().unwrap_or_default();
        let glob = Glob::new(&globset::escape(name))
            .map_err(|error| refuse("path", format!("{}", error.kind())))?;
        Ok(Assignment { glob: glob.compile_matcher(), assigned })
    }

    /// A path that is relative to the case, below the folder of all cases.
    fn below(&self, path: &str) -> String {
        match self.folder {
            Some(folder) if !path.starts_with('/') => format!("{folder}/{path}"),
            _ => path.to_owned(),
        }
    }
}

/// The first thing that is wrong with the evidence, where it stands in the case.
fn no_evidence(errors: &[EvidenceError]) -> Fault {
    let Some(error) = errors.first() else {
        return refuse("", "its evidence cannot be read".to_owned());
    };
    let key = match error.source_name.split_once('/') {
        Some(("baseline", _)) => "baseline",
        _ => "evidence",
    };
    if error.source_name.ends_with(INLINE) {
        let place = if error.place.starts_with('/') { error.place.as_str() } else { "" };
        return refuse(&format!("/{key}{place}"), format!("`{key}` {}", error.problem));
    }
    refuse_file(&format!("/{key}-files"), error.to_string())
}

fn digest(text: &str, at: &str) -> Result<Digest, Fault> {
    text.parse().map_err(|error| refuse(at, format!("{error}")))
}

fn refuse_file(pointer: &str, message: String) -> Fault {
    let hint = "paths are relative to the case, and lead nowhere outside the folder of all cases";
    Fault { hint: Some(hint.to_owned()), ..refuse(pointer, message) }
}

fn refuse(pointer: &str, message: String) -> Fault {
    Fault { pointer: pointer.to_owned(), message, hint: None }
}
