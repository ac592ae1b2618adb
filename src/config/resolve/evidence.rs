use super::super::diagnostic::quoted;
use super::super::mismatch::{alternatives, nearest};
use super::super::{EvidenceAssignment, raw};
use super::{Resolver, not_a_pattern};
use crate::decision::Patterns;

impl Resolver<'_> {
    pub(super) fn evidence(&mut self, raw: raw::Evidence, at: &str) -> Option<EvidenceAssignment> {
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
}
