//! Any bytes as a case give an answer or errors.

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use lockgate::cases::{Case, Folder as Cases};
use proptest::prelude::*;

use super::folder::Folder;
use super::{FAILS, PASSES, case, test};

fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(super::CASE.to_owned()),
        Just(case(PASSES)),
        Just("evidence-files: [.]\n".to_owned()),
        Just("snapshot: {file: .}\n".to_owned()),
        Just("expect:\n  rules:\n    threshold: [{outcome: pass}]\n".to_owned()),
        prop::sample::select(vec![
            "- ", "? ", ": ", "[", "]", "{", "}", "&a ", "*a", "|\n", ">-\n  ", "'", "\"", "\\",
            "#", "---\n", "\r", "\u{feff}", "\t", "summary", "params: ", "1e999", "~", "\n",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_gives_a_case_or_errors(parts in prop::collection::vec(fragment(), 0..8)) {
        let folder = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
        let text = parts.concat();
        if let Err(errors) = Case::parse(&text, "a", "a.yaml", (&dir, "a.yaml")) {
            prop_assert!(errors.to_string().contains("a.yaml"));
        }
    }

    #[test]
    fn any_bytes_give_a_case_or_errors(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.yaml"), bytes).unwrap();
        let cases = Cases::open(folder.path()).unwrap();
        let _ = cases.read(&cases.files()[0]);
    }

    /// Whatever of a case is damaged, an update leaves one that passes, or the file alone.
    #[test]
    fn any_expectation_is_accepted_or_left_alone(
        at in 0..300_usize,
        with in prop::sample::select(vec!["", " ", "\n", "#", "# x\n", "  ", "}", "fail", "\r\n"]),
    ) {
        let mut text = case(FAILS);
        let start = text.find("expect").unwrap();
        let mut at = (start + at % (text.len() - start)).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        text.insert_str(at, with);
        let folder = Folder::empty().file("cases/one.yaml", &text);
        let code = test(&folder, "--update").code.unwrap();
        let after = folder.text("cases/one.yaml");
        prop_assert!(code == 0 || after == text, "{}\n{}", text, after);
        prop_assert_eq!(&after[..start], &text[..start]);
    }
}

#[test]
fn a_case_without_end_is_refused() {
    let large = format!("summary: {}\n", "x".repeat(2 << 20));
    let deep = format!("summary: {}", "[".repeat(10_000));
    let folder = Folder::empty().file("cases/large.yaml", large).file("cases/deep.yaml", deep);
    test(&folder, "")
        .exits(2)
        .says("is larger than 1048576 bytes")
        .says("recursion limit exceeded");
}

#[test]
fn what_a_case_and_a_policy_say_does_not_act_on_the_terminal() {
    let text = case(FAILS)
        .replace("summary: the", "summary: \"\\e[31mred\\u202e")
        .replace("limit\n", "limit\"\n");
    let folder = Folder::empty().file("cases/one.yaml", text);
    for format in ["table", "text", "human", "json", "junit"] {
        let ran = test(&folder, &format!("--format {format}")).exits(1);
        assert!(!ran.stdout.contains(['\u{1b}', '\u{202e}']), "{}", ran.stdout);
    }
}
