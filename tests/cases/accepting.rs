//! `lockgate policy test --update`: only what is expected is written anew.

use super::folder::Folder;
use super::{CASE, PASSES, case, test};

/// Updates a case, which passes then, and gives its text.
#[track_caller]
fn updated(text: &str) -> String {
    let folder = Folder::empty().file("cases/one.yaml", text);
    test(&folder, "").exits(1);
    let ran = test(&folder, "--update").exits(0).says("note: updated cases/one.yaml");
    assert!(ran.stderr.contains("\n  + ") || ran.stderr.contains("\n  - "), "{}", ran.stderr);
    test(&folder, "").exits(0);
    folder.text("cases/one.yaml")
}

#[test]
fn comments_and_everything_else_stay() {
    let text = "\
# What this is about.
summary: >-
  a summary
  that is folded

promotion:   # whose
  model: fraud
  version: '3'
  to: \"stage:Production\"   # where to
  at: 2026-11-23T12:00:00Z
expect:
  outcome:
    # It was measured,
    - {rule: measured, about: auc, outcome: pass}   # said so
    # and is too low.
    - {rule: threshold, about: auc, outcome: fail, message: below}   # but is not
  # The end of it.

params: {metrics: [{name: auc, min: 0.9}]}
evidence: {metrics: [{name: auc, value: 0.95}]}   # high
# Last words.
";
    let expected = text.replace(
        "outcome: fail, message: below}",
        "outcome: pass, message: \"auc is 0\\\\.95, within the limit of 0\\\\.9\"}",
    );
    let got = updated(text);
    let (from, to) = (got.find("message: ").unwrap(), got.find("}   # but is not").unwrap());
    assert!(got[from..to].contains("0\\\\.95"), "{got}");
    let blank = |text: &str| {
        let from = text.find("message: ").unwrap();
        let to = from + text[from..].find('}').unwrap();
        format!("{}{}", &text[..from], &text[to..])
    };
    assert_eq!(blank(&got), blank(&expected));
}

#[test]
fn a_pattern_that_still_matches_stays() {
    let text = case(PASSES)
        .replace("about: auc, outcome: pass, message", "about: auc, outcome: warn, message");
    let got = updated(&text);
    assert_eq!(got, case(PASSES));
}

#[test]
fn checks_come_and_go() {
    let missing =
        case("  outcome:\n    # first\n    - {rule: measured, about: auc, outcome: pass}\n");
    let got = updated(&missing);
    assert!(
        got.ends_with("    # first\n    - {rule: measured, about: auc, outcome: pass}\n    - {rule: threshold, about: auc, outcome: pass}\n"),
        "{got}"
    );
    let more = case(&format!("{PASSES}    # gone\n    - {{rule: complete, outcome: pass}}\n"));
    let got = updated(&more);
    assert_eq!(got, case(&format!("{PASSES}    # gone\n")));
}

#[test]
fn entries_on_several_lines_are_rewritten_with_their_comments() {
    let text = case(
        "  outcome:
    - rule: measured
      about: auc
      outcome: pass
    - rule: threshold
      # why
      about: auc
      outcome: fail

",
    );
    let got = updated(&text);
    assert!(got.contains("    - rule: measured\n      about: auc\n      outcome: pass\n"), "{got}");
    assert!(got.contains("# why"), "{got}");
    assert!(got.contains("    - {rule: threshold, about: auc, outcome: pass}\n"), "{got}");
}

#[test]
fn every_way_to_expect_something_can_be_accepted() {
    for expect in [
        "  outcome: [{rule: measured, about: auc, outcome: fail}]\n",
        "  outcome: []\n",
        "  rules: {threshold: fail, measured: pass}   # rules\n",
        "  rules:\n    measured: pass   # fine\n    threshold: fail   # not\n    complete: skip\n",
        "  rules:\n    threshold:\n      # long\n      - {about: auc, outcome: fail}\n    measured: pass\n",
        "  refusal: {evidence: nothing}\n",
        "  # before\n  undecided: trap\n",
        "  undecided: {reason: trap, message: x}\n",
    ] {
        let got = updated(&case(expect));
        for comment in ["# rules", "# fine", "# not", "# long", "# before"] {
            assert_eq!(got.contains(comment), expect.contains(comment), "{got}");
        }
        assert!(got.starts_with(CASE), "{got}");
    }
    let flow = case("").replace("expect:\n", "expect: {undecided: trap}   # flow\n");
    assert!(updated(&flow).ends_with("]}   # flow\n"), "{flow}");
}

#[test]
fn refusals_are_accepted_as_well() {
    let text = case(PASSES).replace("[{name: auc, min: 0.9}]", "[{name: auc}]");
    assert!(updated(&text).contains("refusal:"), "{text}");
}

#[test]
fn line_ends_stay_what_they_are() {
    let text = case(super::FAILS).replace('\n', "\r\n");
    let got = updated(&text);
    assert_eq!(got.matches('\n').count(), got.matches("\r\n").count(), "{got:?}");
    assert!(updated(case(super::FAILS).trim_end()).starts_with(CASE));
}

/// What the file shares with another part of it is not changed behind its back.
#[test]
fn what_cannot_be_edited_alone_is_left_as_it_is() {
    let text = format!(
        "{CASE}evidence: {{metrics: [{{name: auc, value: 0.95}}]}}\nexpect: {{outcome: [{{rule: measured, about: &a auc, outcome: fail, message: *a}}]}}\n"
    )
    .replace("summary: the", "summary: &s the")
    .replace("message: *a", "message: *s");
    let folder = Folder::empty().file("cases/one.yaml", &text);
    test(&folder, "--update");
    let got = folder.text("cases/one.yaml");
    assert!(got.starts_with("summary: &s the"), "{got}");
}

#[test]
fn passing_and_unreadable_cases_are_not_touched() {
    let folder = Folder::empty()
        .file("cases/a.yaml", case(PASSES))
        .file("cases/b.yaml", "summary: broken\n")
        .file("cases/c.yaml", case(super::FAILS));
    test(&folder, "--update").exits(2);
    assert_eq!(folder.text("cases/a.yaml"), case(PASSES));
    assert_eq!(folder.text("cases/b.yaml"), "summary: broken\n");
    assert_ne!(folder.text("cases/c.yaml"), case(super::FAILS));
    let left: Vec<_> = std::fs::read_dir(folder.path("cases")).unwrap().collect();
    assert_eq!(left.len(), 3);
    test(&folder, "--update --watch").exits(2);
}
