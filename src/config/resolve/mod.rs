mod evidence;
mod gate;
mod naming;
mod trust;
mod waiver;

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::diagnostic::{Problem, quoted};
use super::yaml::Node;
use super::{ConfiguredGate, EvidenceAssignment, KnownNames, TrustSettings, raw};
use crate::decision::{InvalidPattern, Naming, Patterns, Waiver};
use crate::model::Timestamp;

/// Longer than any name, and short enough that compiling a pattern is quick.
const MOST_PATTERN_BYTES: usize = 256;

const DATE_HINT: &str =
    "write a day, `2027-03-31`, or a time with its offset, `2027-03-31T12:00:00Z`";

/// What the gate file means, as far as it could be read.
pub(super) struct Resolved {
    pub(super) gates: Vec<ConfiguredGate>,
    pub(super) waivers: Vec<Waiver>,
    pub(super) evidence: Vec<EvidenceAssignment>,
    pub(super) naming: Naming,
    pub(super) trust: Option<TrustSettings>,
}

/// Turns what is written into what is meant, and notes everything that means nothing. What is
/// missing or of the wrong kind has been noted before and is passed over here.
pub(super) struct Resolver<'a> {
    tree: &'a Node,
    known: &'a KnownNames<'a>,
    /// Pointers of values that are known to be wrong already.
    noted: BTreeSet<String>,
    pub(super) problems: Vec<Problem>,
    /// Names of gates, and where each was first given.
    gates: BTreeMap<String, String>,
    /// Ids of the policies of the gate at hand, and where each was first given.
    policies: BTreeMap<String, String>,
    /// Ids of all policies; none once one could not be told.
    ids: Option<BTreeSet<String>>,
    /// Whose signatures policies have to have, as far as it could be told.
    trust: Option<TrustSettings>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(
        tree: &'a Node,
        known: &'a KnownNames<'a>,
        noted: BTreeSet<String>,
        problems: Vec<Problem>,
    ) -> Self {
        let ids = Some(BTreeSet::new());
        let (gates, policies) = (BTreeMap::new(), BTreeMap::new());
        Self { tree, known, noted, problems, gates, policies, ids, trust: None }
    }

    pub(super) fn resolve(&mut self, file: raw::GateFile) -> Resolved {
        self.trust = file.trust.and_then(|trust| self.trust(trust, "/trust"));
        let gates = self.each(file.gates.unwrap_or_default(), "/gates", Self::gate);
        let waivers = self.each(file.waivers, "/waivers", Self::waiver);
        let evidence = self.each(file.evidence, "/evidence", Self::evidence);
        let naming = self.naming(file.mlflow, "/mlflow");
        let trust = self.trust.take();
        Resolved { gates, waivers, evidence, naming, trust }
    }

    /// Reads the entries of a list, each by itself.
    fn each<R: DeserializeOwned, T>(
        &mut self,
        entries: Vec<Value>,
        list: &str,
        resolve: impl Fn(&mut Self, R, &str) -> Option<T>,
    ) -> Vec<T> {
        let mut resolved = Vec::new();
        for (index, entry) in entries.into_iter().enumerate() {
            let pointer = format!("{list}/{index}");
            let meant = match serde_json::from_value(entry) {
                Ok(entry) => resolve(self, entry, &pointer),
                Err(_) => {
                    self.ids = None;
                    None
                }
            };
            match meant {
                Some(meant) => resolved.push(meant),
                // A gate that is left out without a word would guard nothing.
                None => self.unreadable(&pointer),
            }
        }
        resolved
    }

    /// Notes an entry of which nothing is known to be wrong. The schema takes `1.0` for a whole
    /// number and the reader does not; nothing else should get past the one and not the other.
    fn unreadable(&mut self, pointer: &str) {
        let within = |noted: &String| {
            noted.strip_prefix(pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if !self.noted.iter().any(within) {
            let message = "this entry cannot be read; write whole numbers without a decimal point";
            self.note(pointer, message.to_owned(), None);
        }
    }

    fn note(&mut self, pointer: &str, message: String, hint: Option<String>) {
        if self.noted.insert(pointer.to_owned()) {
            let place = self.tree.find(pointer).map(|node| node.place);
            self.problems.push(Problem { place, message, hint });
        }
    }

    fn patterns(
        &mut self,
        texts: Option<Vec<String>>,
        at: &str,
        compile: fn(Vec<String>) -> Result<Patterns, InvalidPattern>,
    ) -> Option<Patterns> {
        let texts = texts?;
        let mut sound = true;
        for (index, text) in texts.iter().enumerate() {
            let pointer = format!("{at}/{index}");
            if text.is_empty() {
                self.note(&pointer, "an empty pattern matches nothing".to_owned(), None);
            } else if self.is_short(text, &pointer)
                && let Err(error) = compile(vec![text.clone()])
            {
                self.note(&pointer, not_a_pattern(text, &error), None);
            }
            sound &= !self.noted.contains(&pointer);
        }
        if !sound {
            return None;
        }
        compile(texts)
            .map_err(|error| self.note(at, format!("the patterns cannot be read: {error}"), None))
            .ok()
    }

    fn is_short(&mut self, pattern: &str, at: &str) -> bool {
        let short = pattern.len() <= MOST_PATTERN_BYTES;
        if !short {
            let message = format!("the pattern is longer than {MOST_PATTERN_BYTES} bytes");
            self.note(at, message, None);
        }
        short
    }

    /// One line of text with something in it.
    fn text(&mut self, text: Option<String>, at: &str) -> Option<String> {
        let text = text?;
        let (text, key) = (text.trim(), at.rsplit('/').next().unwrap_or_default());
        if text.is_empty() {
            self.note(at, format!("`{key}` is empty"), None);
            return None;
        }
        if text.chars().any(char::is_control) {
            let hint = "fold a longer text with `>`".to_owned();
            self.note(at, format!("`{key}` is more than one line"), Some(hint));
            return None;
        }
        Some(text.to_owned())
    }

    fn date(
        &mut self,
        text: Option<String>,
        at: &str,
        read: fn(&str) -> Option<Timestamp>,
    ) -> Option<Timestamp> {
        let text = text?;
        let time = read(&text);
        if time.is_none() {
            self.note(at, format!("{} is not a date", quoted(&text)), Some(DATE_HINT.to_owned()));
        }
        time
    }
}

fn not_a_pattern(text: &str, error: &InvalidPattern) -> String {
    format!("{} is not a pattern: {error}", quoted(text))
}
