use super::super::diagnostic::quoted;
use super::super::raw;
use super::Resolver;
use crate::decision::{Environment, Naming, Patterns, PromotionTag, TagPlace};
use crate::model::Target;

impl Resolver<'_> {
    pub(super) fn naming(&mut self, raw: raw::Mlflow, at: &str) -> Naming {
        let environments = raw.environments.iter().enumerate();
        let environments = environments
            .filter_map(|(index, pattern)| {
                self.environment(pattern, &format!("{at}/environments/{index}"))
            })
            .collect();
        let tags =
            self.each(raw.promotion_tags, &format!("{at}/promotion-tags"), Self::promotion_tag);
        Naming { environments, tags }
    }

    fn environment(&mut self, pattern: &str, at: &str) -> Option<Environment> {
        if !self.is_short(pattern, at) {
            return None;
        }
        Environment::new(pattern).map_err(|error| self.note(at, error.to_string(), None)).ok()
    }

    fn promotion_tag(&mut self, raw: raw::PromotionTag, at: &str) -> Option<PromotionTag> {
        let key = self.tag_key(raw.tag?, &format!("{at}/tag"));
        let place = raw.on.into();
        let target = match &raw.target {
            Some(text) => Some(
                text.parse::<Target>()
                    .map_err(|error| self.note(&format!("{at}/target"), error.to_string(), None))
                    .ok()?,
            ),
            None => None,
        };
        if place == TagPlace::Model {
            if raw.values.is_some() {
                let message = "`values` does not go with `on: model`".to_owned();
                let hint = "the value of such a tag is the version it promotes".to_owned();
                self.note(&format!("{at}/values"), message, Some(hint));
            }
            if target.is_none() {
                let message = "a tag on the model needs a `target`".to_owned();
                let hint = "say where the version that it names is, `target: env:prod`".to_owned();
                self.note(&format!("{at}/on"), message, Some(hint));
            }
        }
        let values = match raw.values {
            Some(values) => {
                let at = format!("{at}/values");
                Some(self.patterns(Some(values), &at, Patterns::in_any_case)?)
            }
            None => None,
        };
        Some(PromotionTag { key: key?, place, values, target })
    }

    /// Keys of this kind are held against those that clients send, which must then be ASCII.
    fn tag_key(&mut self, key: String, at: &str) -> Option<String> {
        let key = self.text(Some(key), at)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-. :/".contains(c);
        if !key.chars().all(plain) {
            let message = format!("{} is not the key of a tag", quoted(&key));
            let hint = "use letters, digits, `_`, `-`, `.`, `/`, `:` and spaces".to_owned();
            self.note(at, message, Some(hint));
            return None;
        }
        if key.to_ascii_lowercase().starts_with("lockgate.") {
            let message = format!("{} is a tag that lockgate writes itself", quoted(&key));
            self.note(at, message, Some("give the tag another key".to_owned()));
            return None;
        }
        Some(key)
    }
}
