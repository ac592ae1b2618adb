//! What is taken for an answer. Whatever runs a policy, its words are hostile until they have
//! been through here.

use crate::model::{Check, Description, Undecided};

/// Checks one evaluation may make.
pub const CHECKS: usize = 1_000;
/// Rules one policy may describe.
pub const RULES: usize = 256;
/// Bytes of a rule code, a policy name or a version.
pub const CODE_BYTES: usize = 64;
/// Bytes of `about`, of a measure's name or unit and of a rule's title.
pub const LABEL_BYTES: usize = 512;
/// Bytes of a message, a remedy, a summary or a rule's description.
pub const TEXT_BYTES: usize = 4 << 10;
/// Bytes of all texts of one evaluation.
pub const ANSWER_BYTES: usize = 1 << 20;
/// Bytes of a params schema, and of the params themselves.
pub const PARAMS_BYTES: usize = 256 << 10;

/// Checks what a policy says of itself.
///
/// # Errors
/// [`Undecided::Unloadable`], saying which part breaks the contract.
pub fn accept_description(description: Description) -> Result<Description, Undecided> {
    match fault_in_description(&description) {
        None => Ok(description),
        Some(fault) => {
            Err(Undecided::Unloadable { detail: format!("its `describe` gives {fault}") })
        }
    }
}

fn fault_in_description(description: &Description) -> Option<String> {
    let Description { name, version, summary, rules, params_schema } = description;
    if !is_code(name) {
        return Some(format!("the name `{}`, which is not kebab-case", shown(name)));
    }
    if version.is_empty() || version.len() > CODE_BYTES || !version.chars().all(is_plain) {
        return Some(format!("the version `{}`", shown(version)));
    }
    if summary.len() > TEXT_BYTES {
        return Some(format!("a summary of more than {TEXT_BYTES} bytes"));
    }
    if params_schema.len() > PARAMS_BYTES {
        return Some(format!("a params schema of more than {PARAMS_BYTES} bytes"));
    }
    if !serde_json::from_str::<serde_json::Value>(params_schema)
        .is_ok_and(|schema| schema.is_object())
    {
        return Some("a params schema that is not a JSON object".to_owned());
    }
    if rules.is_empty() || rules.len() > RULES {
        return Some(format!("{} rules; it takes 1 to {RULES}", rules.len()));
    }
    let mut codes = std::collections::BTreeSet::new();
    for rule in rules {
        if !is_code(&rule.code) {
            return Some(format!("the rule code `{}`, which is not kebab-case", shown(&rule.code)));
        }
        if !codes.insert(rule.code.as_str()) {
            return Some(format!("the rule code `{}` twice", rule.code));
        }
        if rule.title.len() > LABEL_BYTES || rule.description.len() > TEXT_BYTES {
            return Some(format!("a text that is too long for the rule `{}`", rule.code));
        }
    }
    None
}

/// Checks an answer against the contract and against what the policy described.
///
/// # Errors
/// [`Undecided::NothingChecked`], [`Undecided::OutputOversize`] or [`Undecided::OutputInvalid`].
pub fn accept_checks(
    checks: Vec<Check>,
    description: &Description,
) -> Result<Vec<Check>, Undecided> {
    if checks.is_empty() {
        return Err(Undecided::NothingChecked);
    }
    if checks.len() > CHECKS {
        return Err(Undecided::OutputOversize {
            detail: format!("{} checks, and {CHECKS} are the most", checks.len()),
        });
    }
    let mut bytes = 0_usize;
    for check in &checks {
        bytes = bytes.saturating_add(accept_check(check, description)?);
    }
    if bytes > ANSWER_BYTES {
        return Err(Undecided::OutputOversize {
            detail: format!("{bytes} bytes of text, and {ANSWER_BYTES} are the most"),
        });
    }
    Ok(checks)
}

/// Checks one check and counts its bytes.
fn accept_check(check: &Check, description: &Description) -> Result<usize, Undecided> {
    let Check { rule, about, outcome: _, message, measure, remedy } = check;
    if !description.rules.iter().any(|described| described.code == *rule) {
        return Err(Undecided::OutputInvalid {
            detail: format!("a check of the rule `{}`, which it never described", shown(rule)),
        });
    }
    if let Some(measure) = measure
        && !(measure.actual.is_finite() && measure.limit.is_finite())
    {
        return Err(Undecided::OutputInvalid {
            detail: format!("a measure of `{rule}` that is not a finite number"),
        });
    }
    let measured = measure.as_ref();
    let texts = [
        ("about", about.as_deref(), LABEL_BYTES),
        ("message", Some(message.as_str()), TEXT_BYTES),
        ("remedy", remedy.as_deref(), TEXT_BYTES),
        ("measure.name", measured.map(|measure| measure.name.as_str()), LABEL_BYTES),
        ("measure.unit", measured.and_then(|measure| measure.unit.as_deref()), LABEL_BYTES),
    ];
    let mut bytes = rule.len();
    for (name, text, limit) in texts {
        let length = text.map_or(0, str::len);
        if length > limit {
            return Err(Undecided::OutputOversize {
                detail: format!(
                    "`{name}` of a check of `{rule}` has {length} bytes, and {limit} are the most"
                ),
            });
        }
        bytes = bytes.saturating_add(length);
    }
    Ok(bytes)
}

/// Checks that params are small enough to hand over.
///
/// # Errors
/// [`Undecided::ParamsRefused`].
pub fn accept_params(params: &str) -> Result<(), Undecided> {
    if params.len() > PARAMS_BYTES {
        return Err(Undecided::ParamsRefused {
            detail: format!("{} bytes, and {PARAMS_BYTES} are the most", params.len()),
        });
    }
    Ok(())
}

/// Whether `text` is a kebab-case code: lower-case words and digits between single hyphens.
#[must_use]
pub fn is_code(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    text.len() <= CODE_BYTES
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.split('-').all(is_word)
}

const fn is_plain(character: char) -> bool {
    character.is_ascii_graphic()
}

/// A refusal's words, cut to what a message may have.
#[must_use]
pub fn shortened(text: &str) -> String {
    let mut end = text.len().min(TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

/// A piece of hostile text, short enough for a message.
fn shown(text: &str) -> String {
    text.chars().take(CODE_BYTES).filter(|character| !character.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Comparison, Measure, Outcome, Rule};

    fn described() -> Description {
        Description {
            name: "a-policy".into(),
            version: "1.0.0".into(),
            summary: String::new(),
            rules: vec![Rule {
                code: "rule".into(),
                title: String::new(),
                description: String::new(),
            }],
            params_schema: "{}".into(),
        }
    }

    fn check() -> Check {
        Check {
            rule: "rule".into(),
            about: None,
            outcome: Outcome::Pass,
            message: "fine".into(),
            measure: None,
            remedy: None,
        }
    }

    fn measured(actual: f64, limit: f64) -> Check {
        let measure = Measure {
            name: "m".into(),
            actual,
            limit,
            comparison: Comparison::AtLeast,
            unit: None,
        };
        Check { measure: Some(measure), ..check() }
    }

    #[test]
    fn accepts_a_plain_answer() {
        assert_eq!(accept_checks(vec![check()], &described()), Ok(vec![check()]));
    }

    #[test]
    fn an_empty_answer_checked_nothing() {
        assert_eq!(accept_checks(Vec::new(), &described()), Err(Undecided::NothingChecked));
    }

    #[test]
    fn rejects_numbers_that_are_not_finite() {
        for (actual, limit) in [(f64::NAN, 0.0), (0.0, f64::INFINITY), (f64::NEG_INFINITY, 0.0)] {
            let answer = accept_checks(vec![measured(actual, limit)], &described());
            assert!(matches!(answer, Err(Undecided::OutputInvalid { .. })), "{answer:?}");
        }
    }

    #[test]
    fn rejects_rules_that_were_never_described() {
        let stray = Check { rule: "other".into(), ..check() };
        let answer = accept_checks(vec![check(), stray], &described());
        assert!(matches!(answer, Err(Undecided::OutputInvalid { .. })), "{answer:?}");
    }

    #[test]
    fn rejects_too_many_checks_and_too_long_texts() {
        let long = Check { message: "x".repeat(TEXT_BYTES + 1), ..check() };
        let heavy = Check { message: "x".repeat(TEXT_BYTES), ..check() };
        for answer in [vec![check(); CHECKS + 1], vec![long], vec![heavy; 300]] {
            let answer = accept_checks(answer, &described());
            assert!(matches!(answer, Err(Undecided::OutputOversize { .. })), "{answer:?}");
        }
    }

    #[test]
    fn a_description_needs_kebab_case_codes_told_once_and_a_schema() {
        let rule = |code: &str| Rule {
            code: code.into(),
            title: String::new(),
            description: String::new(),
        };
        let faults = [
            Description { name: "Not Kebab".into(), ..described() },
            Description { name: "-a".into(), ..described() },
            Description { version: String::new(), ..described() },
            Description { rules: Vec::new(), ..described() },
            Description { rules: vec![rule("a"), rule("a")], ..described() },
            Description { rules: vec![rule("a--b")], ..described() },
            Description { params_schema: "[]".into(), ..described() },
            Description { params_schema: "{".into(), ..described() },
        ];
        for fault in faults {
            assert!(accept_description(fault.clone()).is_err(), "{fault:?}");
        }
        assert!(accept_description(described()).is_ok());
    }
}
