use super::super::diagnostic::quoted;
use super::super::mismatch::nearest;
use super::super::trust::plain_pattern;
use super::super::{Demand, KeySource, SignedPolicies, TrustSettings, TrustedKey, raw};
use super::Resolver;
use super::gate::is_id;
use crate::decision::Patterns;
use crate::policy::PolicyRef;

impl Resolver<'_> {
    pub(super) fn trust(&mut self, raw: raw::Trust, at: &str) -> Option<TrustSettings> {
        let before = self.problems.len();
        let keys = self.each(raw.keys, &format!("{at}/keys"), Self::trusted_key);
        for (index, key) in keys.iter().enumerate() {
            if keys.iter().take(index).any(|earlier| earlier.name == key.name) {
                let message = format!("two keys are called {}", quoted(&key.name));
                self.note(&format!("{at}/keys/{index}/name"), message, None);
            }
        }
        let require = self.each(raw.require, &format!("{at}/require"), Self::signed_policies);
        for (index, entry) in require.iter().enumerate() {
            for (number, name) in entry.signed_by.iter().enumerate() {
                self.known_key(name, &keys, &format!("{at}/require/{index}/signed-by/{number}"));
            }
        }
        let unsigned = match raw.unsigned {
            none if none.is_empty() => None,
            some => Some(self.policy_patterns(some, &format!("{at}/unsigned"))?),
        };
        // What is unsound says nothing of which policies it covers.
        (self.problems.len() == before).then_some(TrustSettings { keys, require, unsigned })
    }

    /// Notes a policy that the gate file leaves open whether to trust.
    pub(super) fn covered(&mut self, reference: &PolicyRef, at: &str) {
        let Some(trust) = &self.trust else { return };
        if trust.demand(reference) == Demand::Uncovered {
            let shown = quoted(&reference.to_string());
            let message = format!("no entry of `trust` covers {shown}, so it would not load");
            let hint = "add it to `require`, or to `unsigned` if anybody may change it".to_owned();
            self.note(at, message, Some(hint));
        }
    }

    fn trusted_key(&mut self, raw: raw::TrustedKey, at: &str) -> Option<TrustedKey> {
        let name = raw.name.filter(|name| {
            if !is_id(name) {
                let message = format!("{} is not the name of a key", quoted(name));
                let hint = "use letters, digits, `.`, `_` and `-`, at most 100".to_owned();
                self.note(&format!("{at}/name"), message, Some(hint));
            }
            is_id(name)
        });
        let key = raw.key?;
        let source = if key.trim_start().starts_with("-----BEGIN") {
            KeySource::Inline(key)
        } else {
            KeySource::File(self.text(Some(key), &format!("{at}/key"))?.into())
        };
        Some(TrustedKey { name: name?, source })
    }

    fn signed_policies(&mut self, raw: raw::SignedPolicies, at: &str) -> Option<SignedPolicies> {
        let policies = self.policy_patterns(raw.policies?, &format!("{at}/policies"));
        Some(SignedPolicies { policies: policies?, signed_by: raw.signed_by? })
    }

    fn policy_patterns(&mut self, texts: Vec<String>, at: &str) -> Option<Patterns> {
        for (index, text) in texts.iter().enumerate() {
            if text.starts_with("std/") {
                let message = format!("{} is about policies in the binary", quoted(text));
                let hint = "they are part of lockgate and carry no signatures".to_owned();
                self.note(&format!("{at}/{index}"), message, Some(hint));
            }
        }
        let texts = texts.iter().map(|text| plain_pattern(text).to_owned()).collect();
        self.patterns(Some(texts), at, Patterns::new)
    }

    fn known_key(&mut self, name: &str, keys: &[TrustedKey], at: &str) {
        if keys.iter().any(|key| key.name == name) {
            return;
        }
        let names = || keys.iter().map(|key| key.name.as_str());
        let hint = match nearest(name, names()) {
            Some(near) => format!("did you mean {}?", quoted(near)),
            None => "name it under `trust.keys`".to_owned(),
        };
        self.note(at, format!("there is no key {}", quoted(name)), Some(hint));
    }
}
