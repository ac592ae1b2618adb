//! The gate file: from text to gates, policies and waivers that mean something, or to everything
//! that is wrong with it, each with its line and column.
//!
//! The text is read into a tree that knows its places, held against the published JSON Schema,
//! and then resolved. Each step goes on past what it cannot use, so that one run shows all.

mod dates;
mod diagnostic;
mod document;
mod mismatch;
mod params;
pub mod proof;
mod published;
mod raw;
mod resolve;
mod scalar;
mod schema;
mod trust;
mod write;
mod yaml;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

pub(crate) use dates::age;
pub use diagnostic::{Diagnostic, Diagnostics, Place};
pub use document::{Document, Fault, Ready, Shape, Span};
pub use mismatch::Mismatch;
pub(crate) use mismatch::nearest;
pub use params::{ParamsError, ParamsSchema, check_params};
pub(crate) use raw::Limits as WrittenLimits;
pub use schema::{of as schema_of, schema};
pub use trust::{Demand, KeySource, SignedPolicies, TrustSettings, TrustedKey};
pub use write::{flow, is_bare, scalar};

use crate::decision::{Gate, Guard, Naming, Unmatched, Waiver};
use crate::model::{Digest, Target};
use crate::policy::{Invocation, PolicyRef};
use diagnostic::{Problem, quoted};
use proof::{Claim, Proofs};
use published::hold_against_schema;
use resolve::{Resolved, Resolver};
use yaml::Node;

/// A gate file of a hundred gates takes some 100 KiB.
const MOST_BYTES: usize = 1 << 20;

/// A gate file that has been read and found sound.
#[derive(Clone, Debug)]
pub struct Config {
    /// What no gate means.
    pub unmatched: Unmatched,
    /// The gates, in the order of the file.
    pub gates: Vec<ConfiguredGate>,
    /// The waivers, in the order of the file, expired ones too.
    pub waivers: Vec<Waiver>,
    /// Formats given to evidence files, in the order of the file.
    pub evidence: Vec<EvidenceAssignment>,
    /// What names and tags mean in the MLflow registry.
    pub naming: Naming,
    /// Whose signatures policies have to have; none where the file asks for none.
    pub trust: Option<TrustSettings>,
    source: Source,
}

/// A gate, and how to run its policies.
#[derive(Clone, Debug)]
pub struct ConfiguredGate {
    /// What deciding needs to know.
    pub gate: Gate,
    /// One for each of the gate's guards, in their order.
    pub invocations: Vec<Invocation>,
}

impl ConfiguredGate {
    /// The policies, in the order of the file.
    pub fn policies(&self) -> impl Iterator<Item = (&Guard, &Invocation)> {
        self.gate.guards.iter().zip(&self.invocations)
    }
}

/// The format that the gate file gives to some evidence files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceAssignment {
    /// Glob pattern for the files' names.
    pub glob: String,
    /// One of [`KnownNames::formats`].
    pub format: String,
    /// What policies call the document; set for the format `document` and no other.
    pub name: Option<String>,
    /// ISO 4217 code of the amounts; only for the format `opencost`.
    pub currency: Option<String>,
}

/// Names that a gate file may use and only the rest of lockgate can tell.
#[derive(Clone, Copy, Debug)]
pub struct KnownNames<'a> {
    /// Names of the standard policies, without `std/`.
    pub policies: &'a [&'a str],
    /// Names of the evidence formats, with `document` and `ignore`.
    pub formats: &'a [&'a str],
}

/// The text behind a [`Config`], to point into.
#[derive(Clone, Debug)]
struct Source {
    file: Arc<str>,
    text: Arc<str>,
    tree: Node,
    proofs: Arc<dyn Proofs>,
}

/// A gate file that has been read, with everything found wrong so far.
///
/// What is wrong with the params of a policy only the policy can tell, and it can be asked however
/// much else is wrong, so that one run shows all.
pub struct Draft {
    source: Source,
    content: Option<(Unmatched, Resolved)>,
    problems: Vec<Problem>,
}

/// Reads a gate file of at most 1 MiB. What `proofs` know to hold is not looked into again.
///
/// # Errors
/// A file that cannot be read, or that is no YAML.
pub fn read(
    path: &Path,
    known: &KnownNames<'_>,
    proofs: Arc<dyn Proofs>,
) -> Result<Draft, Diagnostics> {
    let (file, text) = document::text_of(path, MOST_BYTES)?;
    draft(&text, file, known, proofs)
}

/// Reads a gate file without asking its policies.
///
/// # Errors
/// A file that cannot be read, and everything of [`parse`].
pub fn load(path: &Path, known: &KnownNames<'_>) -> Result<Config, Diagnostics> {
    read(path, known, Arc::new(proof::None))?.finish()
}

/// Reads a gate file that is at hand; `file` is what messages call it.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(text: &str, file: &str, known: &KnownNames<'_>) -> Result<Config, Diagnostics> {
    draft(text, Arc::from(file), known, Arc::new(proof::None))?.finish()
}

fn draft(
    text: &str,
    file: Arc<str>,
    known: &KnownNames<'_>,
    proofs: Arc<dyn Proofs>,
) -> Result<Draft, Diagnostics> {
    if text.len() > MOST_BYTES {
        return Err(document::too_large(&file, MOST_BYTES));
    }
    let (tree, mut problems) = yaml::read(text, "gate file", "`lockgate init` writes a first one");
    let Some(tree) = tree else {
        return Err(refusal(&file, text, problems));
    };
    let mut value = tree.to_value();
    let mut noted = BTreeSet::new();
    let claim = Claim::GateFile { text };
    if !proofs.holds(&claim) {
        let before = problems.len();
        hold_against_schema(&tree, &mut value, &mut noted, &mut problems);
        if problems.len() == before && noted.is_empty() {
            proofs.note(&claim);
        }
    }

    let mut resolver = Resolver::new(&tree, known, noted, problems);
    let content = serde_json::from_value(value).ok().map(|file: raw::GateFile| {
        let unmatched = file.unmatched.into();
        (unmatched, resolver.resolve(file))
    });
    let problems = resolver.problems;
    let source = Source { file, text: Arc::from(text), tree, proofs };
    Ok(Draft { source, content, problems })
}

impl Draft {
    /// Whether nothing has been found wrong so far.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty() && self.content.is_some()
    }

    /// The folder of the gate file, which the paths of components are relative to.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.source.directory()
    }

    /// Every policy that is named, whatever else is wrong around it, with its numbers in the file:
    /// of the gate, and of the policy in the gate.
    #[must_use]
    pub fn named_policies(&self) -> Vec<(usize, usize, PolicyRef)> {
        let value = self.source.tree.to_value();
        let gates = value.get("gates").and_then(Value::as_array).into_iter().flatten().enumerate();
        let named = gates.flat_map(|(gate, entry)| {
            let policies = entry.get("policies").and_then(Value::as_array);
            policies.into_iter().flatten().enumerate().filter_map(move |(policy, entry)| {
                Some((gate, policy, entry.get("use")?.as_str()?.parse().ok()?))
            })
        });
        named.collect()
    }

    /// Notes where the params of one policy do not fit the JSON Schema that the policy gives.
    pub fn check_params(&mut self, gate: usize, policy: usize, schema: &str) {
        self.problems.extend(self.source.params_problems(gate, policy, schema));
    }

    /// The gate file, when nothing has been found wrong.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn finish(self) -> Result<Config, Diagnostics> {
        let Self { source, content, problems } = self;
        let listed = source.tree.find("/gates").map_or(0, Node::len);
        match content {
            Some((unmatched, Resolved { gates, waivers, evidence, naming, trust }))
                // A gate less would guard nothing, so this does not rest on the problems alone.
                if problems.is_empty() && gates.len() == listed =>
            {
                Ok(Config { unmatched, gates, waivers, evidence, naming, trust, source })
            }
            _ => Err(source.refusal(problems)),
        }
    }
}

/// Reads a lock file, which is YAML with the same care for what it may hold.
pub(crate) fn document(text: &str, file: &str) -> Result<Value, Diagnostics> {
    let (tree, problems) = yaml::read(text, "lock file", "`lockgate policy lock` writes one");
    match (tree, problems.is_empty()) {
        (Some(tree), true) => Ok(tree.to_value()),
        _ => Err(refusal(&Arc::from(file), text, problems)),
    }
}

/// The first gate file of a project, with comments; it is a sound one.
#[must_use]
pub const fn template() -> &'static str {
    include_str!("template.yaml")
}

fn refusal(file: &Arc<str>, text: &str, problems: Vec<Problem>) -> Diagnostics {
    Diagnostics::of(file, text, problems).unwrap_or_else(|| document::shapeless(file, "gate file"))
}

impl Config {
    /// The gates that guard promotions of `model` to `target`, each with its number in
    /// [`Config::gates`].
    pub fn matching(
        &self,
        model: &str,
        target: &Target,
    ) -> impl Iterator<Item = (usize, &ConfiguredGate)> {
        self.gates.iter().enumerate().filter(move |(_, gate)| gate.gate.matches(model, target))
    }

    /// Digest of the gate file's text.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.source.text.as_bytes())
    }

    /// The folder of the gate file, which the paths of components are relative to.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.source.directory()
    }

    /// What to say of the gate file as a whole.
    #[must_use]
    pub fn refuse(&self, message: String) -> Diagnostics {
        Diagnostics::whole_file(&self.source.file, message)
    }

    /// What to say of one key of [`Config::trust`], named by its number.
    #[must_use]
    pub fn refuse_key(&self, key: usize, message: String) -> Diagnostics {
        let place = self.source.tree.find(&format!("/trust/keys/{key}/key"));
        self.source.refusal(vec![Problem::new(place.map(|node| node.place), message)])
    }

    /// Holds the rule of one waiver, named by its number in [`Config::waivers`], against the rules
    /// that its policy describes.
    ///
    /// # Errors
    /// A rule that is none of `rules`: a waiver that will never except anything.
    pub fn check_waiver(&self, waiver: usize, rules: &BTreeSet<&str>) -> Result<(), Diagnostics> {
        let Some(Waiver { policy, rule, .. }) = self.waivers.get(waiver) else { return Ok(()) };
        if rules.contains(rule.as_str()) {
            return Ok(());
        }
        let place =
            self.source.tree.find(&format!("/waivers/{waiver}/rule")).map(|node| node.place);
        let known = rules.iter().map(|rule| format!("`{rule}`")).collect::<Vec<_>>().join(", ");
        let message = format!("the policy `{policy}` has no rule `{}`", quoted(rule));
        let problem = Problem::new(place, message).hint(format!("its rules are {known}"));
        Err(self.source.refusal(vec![problem]))
    }

    /// Holds the params of one policy, named by its numbers in [`Config::gates`] and in the gate,
    /// against the JSON Schema that the policy gives of them.
    ///
    /// # Errors
    /// Every place in the file where the params do not fit, or that the schema cannot be used.
    pub fn check_params(
        &self,
        gate: usize,
        policy: usize,
        schema: &str,
    ) -> Result<(), Diagnostics> {
        let problems = self.source.params_problems(gate, policy, schema);
        if problems.is_empty() { Ok(()) } else { Err(self.source.refusal(problems)) }
    }
}

impl Source {
    fn directory(&self) -> &Path {
        Path::new(&*self.file).parent().unwrap_or(Path::new(""))
    }

    fn refusal(&self, problems: Vec<Problem>) -> Diagnostics {
        refusal(&self.file, &self.text, problems)
    }

    fn params_problems(&self, gate: usize, policy: usize, schema: &str) -> Vec<Problem> {
        let tree = &self.tree;
        let at = format!("/gates/{gate}/policies/{policy}");
        let params_at = format!("{at}/params");
        let params =
            tree.find(&params_at).map_or_else(|| Value::Object(Default::default()), Node::to_value);
        let claim = Claim::Params { schema, params: &params };
        if self.proofs.holds(&claim) {
            return Vec::new();
        }
        let Err(error) = check_params(schema, &params) else {
            self.proofs.note(&claim);
            return Vec::new();
        };
        // Where there are no params, the policy that they are missing for.
        let whole = [&params_at, &format!("{at}/use"), &at];
        let whole = whole.iter().find_map(|pointer| tree.find(pointer)).map(|node| node.place);
        match error {
            ParamsError::Schema(_) => {
                let used = tree.find(&format!("{at}/use")).map(|node| node.place);
                vec![
                    Problem::new(used, error.to_string())
                        .hint("this is for the policy's author to mend"),
                ]
            }
            ParamsError::Params(mismatches) => mismatches
                .into_iter()
                .map(|Mismatch { pointer, key, message, hint, .. }| {
                    let pointer = format!("{params_at}{pointer}");
                    let place = match &key {
                        Some(key) => tree.find_key(&pointer, key),
                        None => tree.find(&pointer).map(|node| node.place),
                    };
                    Problem { place: place.or(whole), message, hint }
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing is known that would lead to it.
    #[test]
    fn a_gate_file_that_lost_a_gate_is_refused_without_a_problem_too() {
        let text = "version: 1
gates:
  - {name: a, models: ['*'], targets: [production], policies: [{use: std/model-scan}]}
";
        let known = KnownNames { policies: &["model-scan"], formats: &[] };
        let read = || draft(text, "lockgate.yaml".into(), &known, Arc::new(proof::None)).unwrap();
        assert!(read().finish().is_ok());
        let mut lost = read();
        lost.content.as_mut().unwrap().1.gates.clear();
        assert!(lost.finish().is_err());
    }
}
