//! Text of others (policies, evidence, files, registries), made harmless for whatever shows it.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Characters of one text that people are shown; the JSON report has all of it.
const LONGEST: usize = 600;

/// `text` as one line that does nothing but show itself, cut at [`LONGEST`] characters.
///
/// Line breaks, control characters (and with them every terminal escape), direction overrides,
/// invisible characters and those that XML cannot hold are spelled out.
pub(crate) fn plain(text: &str) -> String {
    spelled_out(text, LONGEST)
}

/// The same, whole: for what is bounded by itself.
pub(crate) fn line(text: &str) -> String {
    spelled_out(text, usize::MAX)
}

fn spelled_out(text: &str, longest: usize) -> String {
    if text.len() <= longest && is_printable(text) {
        return break_commands(text.to_owned());
    }
    let mut shown = String::with_capacity(text.len().min(longest));
    let mut characters = text.chars();
    for character in characters.by_ref().take(longest) {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ if is_unseen(character) => shown.extend(character.escape_unicode()),
            _ => shown.push(character),
        }
    }
    let left_out = characters.count();
    if left_out > 0 {
        // Writing to a string cannot fail.
        let _ = write!(shown, "… ({left_out} more characters)");
    }
    break_commands(shown)
}

/// A character of a text whose columns have to stay where they are.
pub(crate) fn printable(character: char) -> char {
    match character {
        '\t' => ' ',
        _ if is_unseen(character) => char::REPLACEMENT_CHARACTER,
        _ => character,
    }
}

/// A text that a line begins with. GitHub's runner takes a line that begins with two colons for a
/// command, whatever blanks of whatever script stand before them (actions/runner,
/// `ActionCommand.TryParseV2`).
pub(crate) fn guarded(text: &str) -> Cow<'_, str> {
    let start = text.trim_start();
    if start.starts_with("::") {
        let (blanks, _) = text.split_at(text.len().saturating_sub(start.len()));
        Cow::from(format!("{blanks}\\{start}"))
    } else {
        Cow::from(text)
    }
}

/// Breaks up `##[`, by which GitHub's runner takes up a command anywhere in a line of output
/// (actions/runner, `ActionCommand.TryParse`). The newer `::` counts at the start of a line only.
fn break_commands(text: String) -> String {
    if text.contains("##[") { text.replace("##[", "##\\[") } else { text }
}

/// Whether there is nothing but printable ASCII, as in most texts; this is told much faster than
/// what each character does.
fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Whether a character does something other than show itself.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            // Soft hyphen, Arabic letter mark, Mongolian vowel separator.
            '\u{ad}' | '\u{61c}' | '\u{180e}'
            // Zero-width space, direction marks. The two joiners are part of ordinary writing.
            | '\u{200b}' | '\u{200e}' | '\u{200f}'
            // Line and paragraph separators, direction embeddings and overrides.
            | '\u{2028}'..='\u{202e}'
            // Invisible operators, direction isolates, deprecated format characters.
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            // Tags: a second alphabet that nobody sees.
            | '\u{e0000}'..='\u{e007f}'
            | '\u{fdd0}'..='\u{fdef}'
        )
        // The last two code points of every plane are no characters; XML refuses the first pair.
        || u32::from(character) & 0xfffe == 0xfffe
}

/// JSON text whose strings hold no character that does something other than show itself: each is
/// written as an escape, so a reader of the JSON gets it back unchanged. So is the `[` of `##[`.
pub(crate) fn json(text: String) -> String {
    if text.lines().all(is_printable) && !text.contains("##[") {
        return text;
    }
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        // JSON has line breaks between its tokens; within strings they are escaped already.
        if character != '\n' && is_unseen(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(character);
        }
    }
    if safe.contains("##[") { safe.replace("##[", "##\\u005b") } else { safe }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_out_line_breaks_escapes_and_overrides() {
        assert_eq!(plain("a\nb\r\tc"), "a\\nb\\r\\tc");
        assert_eq!(plain("\u{1b}[31mred\u{9b}0m"), "\\u{1b}[31mred\\u{9b}0m");
        assert_eq!(plain("user\u{202e}nimda"), "user\\u{202e}nimda");
        assert_eq!(plain("a\u{ffff}b\u{1fffe}c\u{e0041}"), "a\\u{ffff}b\\u{1fffe}c\\u{e0041}");
    }

    #[test]
    fn leaves_ordinary_writing_alone() {
        for text in ["val_auc ≥ 0.92", "größer", "模型", "👩‍🔬", "می‌خواهم", "a::b", "C:\\models"]
        {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn cuts_long_text_and_says_how_much() {
        let text = plain(&"é".repeat(LONGEST + 7));
        assert!(text.ends_with("é… (7 more characters)"), "{text}");
    }

    #[test]
    fn a_line_may_be_long() {
        let text = "é\n".repeat(LONGEST);
        assert_eq!(line(&text), "é\\n".repeat(LONGEST));
    }

    #[test]
    fn no_guarded_line_begins_like_a_workflow_command() {
        assert_eq!(guarded("\u{a0} ::error::x"), "\u{a0} \\::error::x");
        assert_eq!(guarded("a::b"), "a::b");
    }

    #[test]
    fn breaks_up_the_old_form_of_workflow_commands() {
        assert_eq!(plain("x ##[add-mask]y ###[z"), "x ##\\[add-mask]y ###\\[z");
    }

    #[test]
    fn json_escapes_read_back_as_the_same_text() {
        let text = "\u{9b}31m \u{202e} \u{e0041} ##[error] é\n\u{7f}";
        let written = json(serde_json::to_string_pretty(&[text]).unwrap());
        assert!(!written.contains("##["));
        assert!(written.chars().all(|character| character == '\n' || !is_unseen(character)));
        assert_eq!(serde_json::from_str::<Vec<String>>(&written).unwrap(), [text]);
    }
}
