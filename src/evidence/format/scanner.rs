//! What the readers of scanner reports share.

use super::super::limits::MAX_TITLE_CHARS;

/// The first line of `text`, cut to the length of a title.
pub(super) fn title(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let mut title: String =
        line.chars().take(MAX_TITLE_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().nth(MAX_TITLE_CHARS).is_some() {
        title.push('…');
    }
    title
}

/// Errors of one scan that are listed one by one.
const MAX_ERRORS: usize = 20;

/// The first of many errors, and how many more there are.
pub(super) fn listed(mut errors: Vec<String>) -> Vec<String> {
    let unlisted = errors.len().saturating_sub(MAX_ERRORS);
    errors.truncate(MAX_ERRORS);
    if unlisted > 0 {
        errors.push(format!("and {unlisted} more"));
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_line_of_bounded_length() {
        assert_eq!(title(" a\tb \n c"), "a b ");
        assert_eq!(title(&"é".repeat(1000)).chars().count(), MAX_TITLE_CHARS + 1);
        assert_eq!(title(""), "");
    }

    #[test]
    fn a_long_list_of_errors_ends_with_their_number() {
        let errors = |count: usize| listed(vec!["e".to_owned(); count]);
        assert_eq!(errors(20), vec!["e"; 20]);
        assert_eq!(errors(22).last().map(String::as_str), Some("and 2 more"));
    }
}
