use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::super::diagnostic::quoted;
use super::super::mismatch::nearest;
use super::super::{ConfiguredGate, dates, raw};
use super::{Resolver, not_a_pattern};
use crate::decision::{Gate, Guard, Patterns, Requirement, TargetPattern};
use crate::model::Target;
use crate::policy::{InvalidOciRef, Invocation, Limits, OciRef, PolicyRef};

impl Resolver<'_> {
    pub(super) fn gate(&mut self, raw: raw::Gate, at: &str) -> Option<ConfiguredGate> {
        let name = self.text(raw.name, &format!("{at}/name"));
        if let Some(name) = &name {
            self.gate_name(name, &format!("{at}/name"));
        }
        self.policies.clear();
        let policies =
            self.each(raw.policies.unwrap_or_default(), &format!("{at}/policies"), Self::policy);
        let require = self.requirements(&raw.require, &format!("{at}/require"));
        let targets = raw.targets.unwrap_or_default();
        let targets = targets
            .iter()
            .enumerate()
            .filter_map(|(index, target)| self.target(target, &format!("{at}/targets/{index}")))
            .collect();
        // A gate that is missed for a capital guards nothing on a registry that does not mind them.
        let models = self.patterns(raw.models, &format!("{at}/models"), Patterns::in_any_case);
        let (guards, invocations) = policies.into_iter().unzip();
        let removal = raw.removal.into();
        let gate = Gate { name: name?, models: models?, targets, require, guards, removal };
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

    fn policy(&mut self, raw: raw::Policy, at: &str) -> Option<(Guard, Invocation)> {
        let reference = raw.component.and_then(|text| self.reference(&text, &format!("{at}/use")));
        if let Some(reference) = &reference {
            self.covered(reference, &format!("{at}/use"));
        }
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
        if text.starts_with(OciRef::SCHEME) {
            return text
                .parse()
                .map(PolicyRef::Oci)
                .map_err(|error: InvalidOciRef| self.note(at, error.to_string(), None))
                .ok();
        }
        let is_path = text.strip_suffix(".wasm").is_some_and(|stem| !stem.is_empty());
        if is_path && !text.chars().any(char::is_control) {
            return Some(PolicyRef::Path(text.into()));
        }
        let hint = match nearest(text, known()) {
            Some(near) => format!("did you mean `std/{near}`?"),
            None => "write `std/NAME`, the path of a `.wasm` file, or `oci://…`".to_owned(),
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
        let reference = reference?;
        let name = match reference {
            PolicyRef::Standard(name) => return Some(name.clone()),
            PolicyRef::Path(path) => Path::file_stem(path).and_then(|stem| stem.to_str()),
            PolicyRef::Oci(reference) => Some(reference.name()),
        };
        let id = name.filter(|name| is_id(name)).map(str::to_owned);
        if id.is_none() {
            let reference = quoted(&reference.to_string());
            let message = format!("the name of {reference} cannot serve as an id");
            self.note(&format!("{at}/use"), message, Some("give the policy an `id`".to_owned()));
        }
        id
    }

    fn limits(&mut self, raw: &raw::Limits, at: &str) -> Option<Limits> {
        raw.resolve()
            .map_err(|errors| {
                for error in errors {
                    self.note(&format!("{at}/{}", error.name), error.to_string(), None);
                }
            })
            .ok()
    }
}

pub(super) fn is_id(text: &str) -> bool {
    text.len() <= 100
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}
