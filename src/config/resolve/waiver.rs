use super::super::diagnostic::quoted;
use super::super::mismatch::nearest;
use super::super::{dates, raw};
use super::Resolver;
use crate::decision::{Grant, Patterns, Waiver};

impl Resolver<'_> {
    pub(super) fn waiver(&mut self, raw: raw::Waiver, at: &str) -> Option<Waiver> {
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
        let models = self.patterns(raw.models, &format!("{at}/models"), Patterns::new);
        let versions = raw.versions.unwrap_or_else(|| vec!["*".to_owned()]);
        let versions = self.patterns(Some(versions), &format!("{at}/versions"), Patterns::new);
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
}

fn is_kebab(text: &str) -> bool {
    text.split('-').all(|word| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}
