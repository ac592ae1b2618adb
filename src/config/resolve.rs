use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::diagnostic::{Problem, quoted};
use super::mismatch::{alternatives, nearest};
use super::yaml::Node;
use super::{ConfiguredGate, EvidenceAssignment, KnownNames, dates, raw};
use crate::decision::{Gate, Grant, Guard, Patterns, Requirement, TargetPattern, Waiver};
use crate::model::{Target, Timestamp};
use crate::policy::{Invocation, Limits, PolicyRef};

/// Longer than any name, and short enough that compiling a pattern is quick.
const MOST_PATTERN_BYTES: usize = 256;

const DATE_HINT: &str =
    "write a day, `2027-03-31`, or a time with its offset, `2027-03-31T12:00:00Z`";

/// What the gate file means, as far as it could be read.
#[derive(Default)]
pub(super) struct Resolved {
    pub(super) gates: Vec<ConfiguredGate>,
    pub(super) waivers: Vec<Waiver>,
    pub(super) evidence: Vec<EvidenceAssignment>,
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
        Self { tree, known, noted, problems, gates, policies, ids }
    }

    pub(super) fn resolve(&mut self, file: raw::GateFile) -> Resolved {
        let gates = self.each(file.gates, "/gates", Self::gate);
        let waivers = self.each(file.waivers, "/waivers", Self::waiver);
        let evidence = self.each(file.evidence, "/evidence", Self::evidence);
        Resolved { gates, waivers, evidence }
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
            match serde_json::from_value(entry) {
                Ok(entry) => resolved.extend(resolve(self, entry, &pointer)),
                Err(_) => {
                    self.ids = None;
                    self.unreadable(&pointer);
                }
            }
        }
        resolved
    }

    /// The schema takes `1.0` for a whole number and the reader does not; nothing else should
    /// get past the one and not the other.
    fn unreadable(&mut self, pointer: &str) {
        if !self.noted.iter().any(|noted| noted.starts_with(pointer)) {
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

    fn gate(&mut self, raw: raw::Gate, at: &str) -> Option<ConfiguredGate> {
        let name = self.text(raw.name, &format!("{at}/name"));
        if let Some(name) = &name {
            self.gate_name(name, &format!("{at}/name"));
        }
        self.policies.clear();
        let policies = self.each(raw.policies, &format!("{at}/policies"), Self::policy);
        let require = self.requirements(&raw.require, &format!("{at}/require"));
        let targets = raw.targets.unwrap_or_default();
        let targets = targets
            .iter()
            .enumerate()
            .filter_map(|(index, target)| self.target(target, &format!("{at}/targets/{index}")))
            .collect();
        let models = self.patterns(raw.models, &format!("{at}/models"));
        let (guards, invocations) = policies.into_iter().unzip();
        let gate = Gate { name: name?, models: models?, targets, require, guards };
        Some(ConfiguredGate { gate, invocations })
    }

    fn gate_name(&mut self, name: &str, at: &str) {
        let Some(first) = self.gates.get(name) else {
            self.gates.insert(name.to_owned(), at.to_owned());
            return;
        };
        let line = self.line(first);
        let message = format!("two gates are called {}; the first on line {line}", quoted(name));
        self.note(at, message, None);
    }

    fn line(&self, pointer: &str) -> usize {
        self.tree.find(pointer).map_or(0, |node| node.place.line)
    }

    fn requirements(&mut self, raw: &raw::Require, at: &str) -> Vec<Requirement> {
        let mut requirements = Vec::new();
        for (kind, raw::Age(age)) in raw.ages() {
            match dates::age(age) {
                Ok(max_age) => requirements.push(Requirement { kind, max_age }),
                Err(()) => {
                    let message = format!("{} is not an age", quoted(age));
                    let hint = "write `30m`, `24h`, `7d`, `2w`, or `any` for no limit".to_owned();
                    self.note(&format!("{at}/{kind}"), message, Some(hint));
                }
            }
        }
        requirements
    }

    fn target(&mut self, text: &str, at: &str) -> Option<TargetPattern> {
        let target = match text.parse::<Target>() {
            Ok(target) => target,
            Err(error) => {
                self.note(at, error.to_string(), None);
                return None;
            }
        };
        if !self.is_short(text, at) {
            return None;
        }
        TargetPattern::new(&target)
            .map_err(|error| self.note(at, not_a_pattern(target.name(), &error), None))
            .ok()
    }

    fn patterns(&mut self, texts: Option<Vec<String>>, at: &str) -> Option<Patterns> {
        let texts = texts?;
        let mut sound = true;
        for (index, text) in texts.iter().enumerate() {
            let pointer = format!("{at}/{index}");
            if text.is_empty() {
                self.note(&pointer, "an empty pattern matches nothing".to_owned(), None);
            } else if self.is_short(text, &pointer)
                && let Err(error) = Patterns::new(vec![text.clone()])
            {
                self.note(&pointer, not_a_pattern(text, &error), None);
            }
            sound &= !self.noted.contains(&pointer);
        }
        if !sound {
            return None;
        }
        Patterns::new(texts)
            .map_err(|error| {
                self.note(at, format!("the patterns cannot be read: {}", error.kind()), None)
            })
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

    fn policy(&mut self, raw: raw::Policy, at: &str) -> Option<(Guard, Invocation)> {
        let reference = raw.component.and_then(|text| self.reference(&text, &format!("{at}/use")));
        let id = self.id(raw.id, reference.as_ref(), at);
        self.remember(id.as_deref(), at);
        let effective_on = self.date(raw.effective_on, &format!("{at}/effective-on"), dates::start);
        let limits = self.limits(&raw.limits, &format!("{at}/limits"));
        let params = Arc::from(Value::Object(raw.params).to_string());
        let guard = Guard { id: id?, enforcement: raw.enforce.into(), effective_on };
        Some((guard, Invocation { reference: reference?, params, limits: limits? }))
    }

    fn remember(&mut self, id: Option<&str>, at: &str) {
        let Some(id) = id else {
            self.ids = None;
            return;
        };
        if let Some(ids) = &mut self.ids {
            ids.insert(id.to_owned());
        }
        let Some(first) = self.policies.get(id) else {
            self.policies.insert(id.to_owned(), at.to_owned());
            return;
        };
        let line = self.line(first);
        let message =
            format!("two policies of the gate are called {}; the first on line {line}", quoted(id));
        let hint = "give one of them an `id` of its own".to_owned();
        self.note(at, message, Some(hint));
    }

    fn reference(&mut self, text: &str, at: &str) -> Option<PolicyRef> {
        let known = || self.known.policies.iter().copied();
        if let Some(name) = text.strip_prefix("std/") {
            if known().any(|known| known == name) {
                return Some(PolicyRef::Standard(name.to_owned()));
            }
            let hint = match nearest(name, known()) {
                Some(near) => format!("did you mean `std/{near}`?"),
                None => "`lockgate policy list` shows them all".to_owned(),
            };
            self.note(at, format!("there is no standard policy {}", quoted(text)), Some(hint));
            return None;
        }
        let is_path = text.strip_suffix(".wasm").is_some_and(|stem| !stem.is_empty());
        if is_path && !text.chars().any(char::is_control) {
            return Some(PolicyRef::Path(text.into()));
        }
        let hint = match nearest(text, known()) {
            Some(near) => format!("did you mean `std/{near}`?"),
            None => "write `std/NAME`, or the path of a `.wasm` file".to_owned(),
        };
        self.note(at, format!("{} names no policy", quoted(text)), Some(hint));
        None
    }

    fn id(
        &mut self,
        given: Option<String>,
        reference: Option<&PolicyRef>,
        at: &str,
    ) -> Option<String> {
        if let Some(id) = given {
            if !is_id(&id) {
                let message = format!("{} is not an id", quoted(&id));
                let hint = "use letters, digits, `.`, `_` and `-`, at most 100".to_owned();
                self.note(&format!("{at}/id"), message, Some(hint));
                return None;
            }
            return Some(id);
        }
        match reference? {
            PolicyRef::Standard(name) => Some(name.clone()),
            PolicyRef::Path(path) => {
                let stem = Path::file_stem(path).and_then(|stem| stem.to_str());
                let id = stem.filter(|stem| is_id(stem)).map(str::to_owned);
                if id.is_none() {
                    let path = quoted(&path.to_string_lossy());
                    let message = format!("the name of {path} cannot serve as an id");
                    self.note(
                        &format!("{at}/use"),
                        message,
                        Some("give the policy an `id`".to_owned()),
                    );
                }
                id
            }
        }
    }

    fn limits(&mut self, raw: &raw::Limits, at: &str) -> Option<Limits> {
        let limits = Limits::new(
            raw.fuel.unwrap_or(Limits::DEFAULT_FUEL),
            raw.memory_mib.unwrap_or(Limits::DEFAULT_MEMORY_MIB),
            raw.deadline_ms.unwrap_or(Limits::DEFAULT_DEADLINE_MS),
        );
        limits
            .map_err(|errors| {
                for error in errors {
                    self.note(&format!("{at}/{}", error.name), error.to_string(), None);
                }
            })
            .ok()
    }

    fn waiver(&mut self, raw: raw::Waiver, at: &str) -> Option<Waiver> {
        let policy = self.text(raw.policy, &format!("{at}/policy"));
        if let Some(policy) = &policy {
            self.waived_policy(policy, &format!("{at}/policy"));
        }
        let rule = self.text(raw.rule, &format!("{at}/rule"));
        if let Some(rule) = &rule
            && !is_kebab(rule)
        {
            let hint = "write its code as the check shows it, such as `unsafe-code`".to_owned();
            let message = format!("{} is not the code of a rule", quoted(rule));
            self.note(&format!("{at}/rule"), message, Some(hint));
        }
        let about = raw.about.and_then(|about| self.text(Some(about), &format!("{at}/about")));
        let models = self.patterns(raw.models, &format!("{at}/models"));
        let versions = raw.versions.unwrap_or_else(|| vec!["*".to_owned()]);
        let versions = self.patterns(Some(versions), &format!("{at}/versions"));
        let reason = self.text(raw.reason, &format!("{at}/reason"));
        let ticket = self.text(raw.ticket, &format!("{at}/ticket"));
        let approved_by = self.text(raw.approved_by, &format!("{at}/approved-by"));
        let expires = self.date(raw.expires, &format!("{at}/expires"), dates::end);
        let grant = Grant {
            reason: reason?,
            ticket: ticket?,
            approved_by: approved_by?,
            expires: expires?,
        };
        Some(Waiver {
            policy: policy?,
            rule: rule?,
            about,
            models: models?,
            versions: versions?,
            grant,
        })
    }

    /// A waiver for a policy that does not exist would look like an exception and be none.
    fn waived_policy(&mut self, policy: &str, at: &str) {
        let Some(ids) = &self.ids else { return };
        if ids.contains(policy) {
            return;
        }
        let hint = match nearest(policy, ids.iter().map(String::as_str)) {
            Some(near) => format!("did you mean {}?", quoted(near)),
            None => {
                let ids: Vec<String> = ids.iter().take(20).map(|id| quoted(id)).collect();
                format!("the ids are {}", ids.join(", "))
            }
        };
        self.note(at, format!("no gate has a policy with the id {}", quoted(policy)), Some(hint));
    }

    fn evidence(&mut self, raw: raw::Evidence, at: &str) -> Option<EvidenceAssignment> {
        let pattern = self.text(raw.pattern, &format!("{at}/match"));
        let sound = pattern.clone().and_then(|pattern| {
            let pointer = format!("{at}/match");
            if !self.is_short(&pattern, &pointer) {
                return None;
            }
            Patterns::new(vec![pattern.clone()])
                .map_err(|error| self.note(&pointer, not_a_pattern(&pattern, &error), None))
                .ok()
        });
        let format = raw.format.and_then(|format| self.format(format, &format!("{at}/format")));
        if let Some(format) = &format {
            self.belongs(raw.name.as_deref(), "name", "document", format, at);
            self.belongs(raw.currency.as_deref(), "currency", "opencost", format, at);
            if format == "document" && raw.name.is_none() {
                let message = "a document needs a `name`, by which policies read it".to_owned();
                self.note(&format!("{at}/format"), message, None);
            }
        }
        let currency = raw.currency.filter(|code| {
            let fits = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
            if !fits {
                let message = format!("{} is not a currency", quoted(code));
                let hint = "write its ISO 4217 code, such as `USD`".to_owned();
                self.note(&format!("{at}/currency"), message, Some(hint));
            }
            fits
        });
        let name = raw.name.and_then(|name| self.text(Some(name), &format!("{at}/name")));
        sound?;
        Some(EvidenceAssignment { glob: pattern?, format: format?, name, currency })
    }

    fn format(&mut self, format: String, at: &str) -> Option<String> {
        if self.known.formats.contains(&format.as_str()) {
            return Some(format);
        }
        let hint = match nearest(&format, self.known.formats.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let known: Vec<String> =
                    self.known.formats.iter().map(|name| quoted(name)).collect();
                format!("it takes {}", alternatives(&known))
            }
        };
        self.note(at, format!("there is no evidence format {}", quoted(&format)), Some(hint));
        None
    }

    /// Notes a key that says nothing for the format it stands beside.
    fn belongs(&mut self, value: Option<&str>, key: &str, owner: &str, format: &str, at: &str) {
        if value.is_some() && format != owner {
            let message = format!("`{key}` goes with `format: {owner}`, not {}", quoted(format));
            self.note(&format!("{at}/{key}"), message, None);
        }
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

fn not_a_pattern(text: &str, error: &globset::Error) -> String {
    format!("{} is not a pattern: {}", quoted(text), error.kind())
}

fn is_id(text: &str) -> bool {
    text.len() <= 100
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

fn is_kebab(text: &str) -> bool {
    text.split('-').all(|word| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}
