//! Go templates, which KServe fills in with the text of a resource as a whole: one in a service, or
//! what one is filled in with, can become any field of it.

use super::pod::Marks;
use super::review::shown;
use super::tokens;
use super::words::{self, Inside, Word};

/// Refuses a template in a resource that serves by itself and has nothing to leave open.
pub(super) fn refuse(place: &str, raw: &str) -> Result<(), String> {
    match actions(raw).next() {
        None => Ok(()),
        Some(action) => Err(format!(
            "{place}: KServe fills in `{{{{{}}}}}`, which can make another field of it; write out what it stands for",
            shown(action)
        )),
    }
}

/// Refuses templates in a runtime that stand for more than what [`refuse_unplain`] holds to be
/// harmless in a service.
pub(super) fn check_runtime(place: &str, raw: &str) -> Result<(), String> {
    let harmless = |action: &str| {
        let mark = action.strip_prefix(".Labels.").or_else(|| action.strip_prefix(".Annotations."));
        matches!(action, ".Name" | ".Namespace") || mark.is_some_and(is_identifier)
    };
    unclear(actions(raw).find(|action| !harmless(action)), place)
}

/// Refuses templates in what LLMs are based on, unless they are made of what KServe's own are.
pub(super) fn check_base(place: &str, raw: &str) -> Result<(), String> {
    let harmless = |action: &str| {
        let mut words = action.split([' ', '(', ')']).filter(|word| !word.is_empty()).peekable();
        let of_child = words.peek() == Some(&"ChildName");
        words.all(|word| match word.strip_prefix('.') {
            Some(path) => {
                let mut path = path.split('.');
                path.all(|name| is_identifier(name) && !["Annotations", "Labels"].contains(&name))
            }
            None => {
                ["if", "else", "end", "and", "or", "not"].contains(&word)
                    || ["ChildName", "shutdownTimeout", "kvTransferConfig"].contains(&word)
                    || word.bytes().all(|byte| byte.is_ascii_digit())
                    || of_child && is_suffix(word)
            }
        })
    };
    unclear(actions(raw).find(|action| !harmless(action)), place)
}

fn unclear(action: Option<&str>, place: &str) -> Result<(), String> {
    action.map_or(Ok(()), |action| {
        Err(format!(
            "{place}: what KServe fills in for `{{{{{}}}}}` cannot be told; write out what it stands for",
            shown(action)
        ))
    })
}

/// Refuses annotations of a service that a runtime can be filled in with, and that are more than
/// a name. Labels can be no more.
pub(super) fn refuse_unplain(annotations: &Marks) -> Result<(), String> {
    let inside = Inside { folders: Vec::new(), placeholders: false, namespace: "" };
    let unplain = annotations.iter().find(|(key, value)| {
        let named = words::elsewhere(std::iter::once(Word::plain(value)), &inside).is_some();
        fills_in(key) && (named || !tokens::is_plain_name(value))
    });
    unplain.map_or(Ok(()), |(key, _)| {
        Err(format!(
            "metadata: the annotation `{}` can be filled into a runtime, and is more than a name; give it a key with a prefix such as `example.org/`",
            shown(key)
        ))
    })
}

/// Whether a runtime can be filled in with an annotation of this key.
pub(super) fn fills_in(key: &str) -> bool {
    is_identifier(key)
}

/// What stands between the braces of each action in some JSON. An escaped brace counts as the
/// beginning of one: nobody has a reason to escape it.
fn actions(raw: &str) -> impl Iterator<Item = &str> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        let begins = ["{{", "\\u007b", "\\u007B"];
        let (at, begin) = begins.iter().filter_map(|b| Some((rest.find(b)?, b))).min()?;
        let inner = rest.get(at + begin.len()..)?;
        let (action, after) = inner.split_once("}}").unwrap_or((inner, ""));
        rest = after;
        Some(action.strip_prefix('-').unwrap_or(action).trim_end_matches('-').trim())
    })
}

/// Whether a template can have it after a dot.
fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// The end of the name of something that belongs to a service, as in KServe's own templates.
fn is_suffix(word: &str) -> bool {
    let inner = word.strip_prefix('`').and_then(|word| word.strip_suffix('`'));
    inner.is_some_and(|text| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_is_filled_in_with_names_and_marks_alone() {
        for (text, allowed) in [
            ("--model_name={{.Name}}", true),
            ("{{ .Namespace }}", true),
            ("--framework={{- .Annotations.modelFormat -}}", true),
            ("{{.Labels.modelClass}}", true),
            ("{{ print `--model` }}", false),
            ("{{ index .Annotations `a/b` }}", false),
            ("{{.Annotations}}", false),
            ("{{.OwnerReferences}}", false),
            ("{{.Name}}{{/*", false),
            ("\\u007b\\u007b.Name}}", false),
            ("{\"a\":{\"b\":1}}", true),
        ] {
            assert_eq!(check_runtime("spec", text).is_ok(), allowed, "{text}");
        }
    }

    #[test]
    fn what_llms_are_based_on_is_filled_in_as_kserves_own() {
        for (text, allowed) in [
            ("{{ .ObjectMeta.Name }}", true),
            ("{{ if .GlobalConfig.EnableTLS }}--enable-ssl-refresh{{- end }}", true),
            ("{{- if and .Spec.Parallelism .Spec.Parallelism.Tensor }}", true),
            ("{{ or .Spec.Parallelism.Data 1 }}", true),
            ("{{ ChildName .ObjectMeta.Name `-inference-pool` }}", true),
            ("{{ shutdownTimeout .Spec.Template 15 }}", true),
            ("{{ .ObjectMeta.Annotations.extra }}", false),
            ("{{ printf `%c` 34 }}", false),
            ("{{ or `--model` 1 }}", false),
            ("{{ $x := 1 }}", false),
        ] {
            assert_eq!(check_base("spec", text).is_ok(), allowed, "{text}");
        }
    }

    #[test]
    fn an_annotation_that_a_runtime_can_be_filled_in_with_is_a_name() {
        for (key, value, allowed) in [
            ("modelFormat", "sklearn", true),
            ("modelFormat", "a\",\"args\":[\"--model_id=org/other\"]", false),
            ("modelFormat", "--model_id", false),
            ("modelFormat", "s3://b/other", false),
            ("example.org/anything", "{\"a\": 1}", true),
        ] {
            let annotations = Marks::from([(key.to_owned(), value.to_owned())]);
            assert_eq!(refuse_unplain(&annotations).is_ok(), allowed, "{key}: {value}");
        }
    }
}
