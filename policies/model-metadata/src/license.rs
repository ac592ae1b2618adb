//! The licence against those that are allowed.

use super::*;

pub(crate) fn check(license: Option<&str>, allowed: &[String]) -> Check {
    let Some(license) = license.map(str::trim).filter(|license| !license.is_empty()) else {
        return Check::fail(Rule::License, "no licence is stated")
            .about("license")
            .remedy("record the licence with the model version");
    };
    let check = match is_allowed(license, allowed) {
        Some(true) => Check::pass(Rule::License, format!("the licence `{license}` is allowed")),
        Some(false) => {
            Check::fail(Rule::License, format!("the licence `{license}` is not allowed"))
        }
        None => Check::fail(
            Rule::License,
            format!("the licence `{license}` is too complex to judge by its parts"),
        ),
    };
    check.about(license).remedy(format!("allowed are: {}", allowed.join(", ")))
}

/// Whether a licence expression is allowed; none when it mixes operators.
///
/// By the SPDX specification (annex on licence expressions) identifiers and operators are compared
/// without regard to case.
fn is_allowed(license: &str, allowed: &[String]) -> Option<bool> {
    let listed = |license: &str| allowed.iter().any(|it| it.trim().eq_ignore_ascii_case(license));
    if listed(license) {
        return Some(true);
    }
    let words: Vec<&str> = license.split_whitespace().collect();
    let identifiers = || words.iter().step_by(2);
    let operators_are = |operator: &str| {
        words.iter().skip(1).step_by(2).all(|word| word.eq_ignore_ascii_case(operator))
    };
    // A licence by its full name ("Apache License 2.0") has no operator and no part to judge.
    let is_operator =
        |word: &str| ["and", "or", "with"].iter().any(|it| word.eq_ignore_ascii_case(it));
    let is_compound = license.contains(['(', ')']) || words.iter().any(|word| is_operator(word));
    let is_list = words.len() % 2 == 1 && !identifiers().any(|word| is_operator(word));
    if !is_compound {
        Some(false)
    } else if license.contains(['(', ')']) || !is_list {
        None
    } else if operators_are("or") {
        Some(identifiers().any(|identifier| listed(identifier)))
    } else if operators_are("and") {
        Some(identifiers().all(|identifier| listed(identifier)))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_lists_of_one_operator_and_nothing_more_complex() {
        let allowed = ["MIT".to_owned(), "Apache-2.0".to_owned(), "(X OR Y) AND Z".to_owned()];
        for (license, expected) in [
            ("mit", Some(true)),
            ("MIT OR GPL-3.0-only", Some(true)),
            ("MIT AND Apache-2.0", Some(true)),
            ("MIT AND GPL-3.0-only", Some(false)),
            ("GPL-3.0-only OR AGPL-3.0-only", Some(false)),
            ("Apache License 2.0", Some(false)),
            ("MIT OR Apache-2.0 AND GPL-3.0-only", None),
            ("(MIT)", None),
            ("MIT OR", None),
            ("OR MIT", None),
            ("MIT OR OR", None),
            ("Apache-2.0 WITH LLVM-exception", None),
            ("MIT OR Apache-2.0 WITH LLVM-exception", None),
            ("(x or y) and z", Some(true)),
        ] {
            assert_eq!(is_allowed(license, &allowed), expected, "{license}");
        }
    }
}
