//! When two names are those of one person.

use unicode_normalization::UnicodeNormalization as _;

/// A name as it is compared: as people read it, so that one person is not two because two systems
/// write the name in different ways.
///
/// Near to Unicode's `NFKC_Casefold`. Where it differs from that it takes more names to be alike,
/// which makes an approval count less and never more.
pub(crate) fn name_of(person: &str) -> String {
    let mut folded = if person.is_ascii() {
        // ASCII writes nothing in two ways, and most names are ASCII.
        person.to_ascii_lowercase()
    } else {
        // Capitals first: `ß` and `ſ` have one, and no other small letter that they are equal to.
        readable(&readable(person).to_uppercase().to_lowercase())
    };
    folded.retain(|c| !is_invisible(c));
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn readable(name: &str) -> String {
    name.nfkc().filter(|c| !is_invisible(*c)).nfkc().collect()
}

/// Characters that leave no trace: those that Unicode calls default ignorable, and controls.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}'
        | '\u{034F}'
        | '\u{061C}'
        | '\u{115F}'..='\u{1160}'
        | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}'
        | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFF8}'
        | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}'
    ) || (c.is_control() && !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_is_one_however_the_name_is_written() {
        for (one, other) in [
            (" Bob", "bob"),
            ("Jos\u{e9}", "JOSE\u{301}"),
            ("strau\u{df}", "STRAUSS"),
            ("alice\u{200b}", "alice"),
            ("al\u{ad}ice\u{feff}", "alice"),
            // A mark that finds its letter only when what stands between them is gone.
            ("jose\u{200d}\u{301}", "jos\u{e9}"),
            ("\u{ff41}lice", "alice"),
            ("\u{1d4d0}lice", "alice"),
            ("of\u{fb01}ce", "office"),
            ("\u{3c3}\u{3c2}", "\u{3a3}\u{3a3}"),
            ("Ann\u{a0} Lee", "ann lee"),
            ("an\u{0}n", "ann"),
            ("\u{d55c}", "\u{1112}\u{1161}\u{11ab}"),
        ] {
            assert_eq!(name_of(one), name_of(other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn other_people_are_others() {
        for (one, other) in [("jose", "jos\u{e9}"), ("ann lee", "annlee"), ("a.b", "ab")] {
            assert_ne!(name_of(one), name_of(other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn a_name_of_nothing_to_see_is_no_name() {
        assert_eq!(name_of(" \u{200b}\u{3164}\n"), "");
    }
}
