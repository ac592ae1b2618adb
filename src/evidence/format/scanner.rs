//! What the readers of scanner reports share.

use super::super::limits::MAX_TITLE_CHARS;

/// The first line of `text`, cut to the length of a title.
pub(super) fn title(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let line: Vec<char> = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.get(..MAX_TITLE_CHARS) {
        Some(start) if line.len() > MAX_TITLE_CHARS => {
            let mut cut: String = start.iter().collect();
            cut.push('…');
            cut
        }
        Some(_) | None => line.into_iter().collect(),
    }
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
}
