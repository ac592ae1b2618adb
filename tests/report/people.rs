//! The formats that people read: table, Markdown, GitHub annotations.

use lockgate::decision::Effect;
use lockgate::report::{Context, Format};
use unicode_width::UnicodeWidthStr as _;

use crate::situations::{self, check, measured, policy};
use crate::{CONTEXT, rendered, rendered_in};

#[test]
fn the_table_gives_the_verdict_first_and_last() {
    for (name, decision) in situations::all() {
        let table = rendered(Format::Table, &decision);
        let word = decision.verdict.as_str().to_uppercase();
        let lines: Vec<_> = table.lines().collect();
        let verdicts: Vec<_> = (0..lines.len()).filter(|at| lines[*at].contains(&word)).collect();
        assert_eq!(verdicts, [0, lines.len() - 2], "{name}: {table}");
    }
}

#[test]
fn the_table_keeps_within_its_width() {
    for width in [0, 40, 63, 100, 500] {
        for (name, decision) in situations::all() {
            let context = Context { width, ..CONTEXT };
            let table = rendered_in(Format::Table, &decision, &context);
            for line in table.lines() {
                assert!(line.width() <= width.clamp(40, 100), "{name} at {width}: {line}");
            }
        }
    }
}

#[test]
fn the_table_has_colour_only_where_it_is_asked_for() {
    let coloured = Context { color: true, ..CONTEXT };
    let decision = situations::deny();
    assert!(rendered_in(Format::Table, &decision, &coloured).contains("\u{1b}["));
    assert!(!rendered(Format::Table, &decision).contains('\u{1b}'));
}

#[test]
fn colour_changes_nothing_but_colour() {
    let coloured = Context { color: true, ..CONTEXT };
    for (name, decision) in situations::all() {
        let mut bare = String::new();
        let mut rest = rendered_in(Format::Table, &decision, &coloured);
        while let Some(start) = rest.find('\u{1b}') {
            bare.push_str(&rest[..start]);
            let end = start + rest[start..].find('m').unwrap() + 1;
            rest = rest[end..].to_owned();
        }
        bare.push_str(&rest);
        assert_eq!(bare, rendered(Format::Table, &decision), "{name}");
    }
}

#[test]
fn the_table_shows_the_worst_of_a_long_list_and_counts_the_rest() {
    let table = rendered(Format::Table, &situations::thousand_checks());
    assert_eq!(table.matches("✗ deny").count(), 20, "{table}");
    assert!(table.contains("… and 980 more (80 deny · 900 pass), see --format json"), "{table}");
}

#[test]
fn the_table_shows_every_check_of_a_list_that_is_not_long() {
    let checks = (0..20).map(|index| check("r", &format!("about-{index}"), Effect::Pass, "fine"));
    let mut decision = situations::allow();
    decision.gates[0].policies = vec![policy("p", Ok(checks.collect()))];
    let table = rendered(Format::Table, &decision);
    assert!((0..20).all(|index| table.contains(&format!("about-{index}"))), "{table}");
    assert!(!table.contains("more"), "{table}");
}

#[test]
fn a_margin_past_every_number_is_told() {
    let far = measured(check("r", "", Effect::Pass, "m"), f64::MAX, f64::MIN, "");
    let mut decision = situations::allow();
    decision.gates[0].policies = vec![policy("p", Ok(vec![far]))];
    for format in Format::ALL {
        assert!(rendered(format, &decision).contains('p'), "{format}");
    }
}

#[test]
fn markdown_keeps_below_what_github_shows_and_says_what_it_leaves_out() {
    let checks = (0..10_000)
        .map(|index| check("r", &format!("about-{index}"), Effect::Deny, &"<long> ".repeat(50)));
    let mut decision = situations::deny();
    decision.gates[0].policies = vec![policy("p", Ok(checks.collect()))];
    let markdown = rendered(Format::Markdown, &decision);
    assert!(markdown.len() < 1024 * 1024, "{} bytes", markdown.len());
    let note = markdown.trim_end().lines().last().unwrap();
    assert!(note.starts_with("> **Cut short:** "), "{note}");
    let told: usize = note.split(' ').find_map(|word| word.parse().ok()).unwrap();
    let shown = markdown.lines().filter(|line| line.starts_with("| ✗ deny")).count();
    // Each check has a row among the reasons and one in its policy's list; the evidence has four.
    assert!((20_000 - shown..=20_000 - shown + 8).contains(&told), "{shown} shown, {told} told");
}

#[test]
fn markdown_closes_every_fold_that_it_opens() {
    let mut decisions: Vec<_> =
        situations::all().into_iter().map(|(_, decision)| decision).collect();
    decisions.push(situations::thousand_checks());
    for decision in &decisions {
        let markdown = rendered(Format::Markdown, decision);
        assert_eq!(markdown.matches("<details>").count(), markdown.matches("</details>").count());
    }
}

#[test]
fn annotations_keep_to_ten_of_a_level_and_count_the_rest() {
    let annotations = rendered(Format::Github, &situations::thousand_checks());
    let errors: Vec<_> = annotations.lines().filter(|line| line.starts_with("::error ")).collect();
    assert_eq!(errors.len(), 10);
    assert!(errors[0].contains("lockgate denies"), "{}", errors[0]);
    // The verdict and eight checks are shown; 92 of 100 checks are not.
    assert!(errors[9].contains("title=lockgate%3A 92 more"), "{}", errors[9]);
}

#[test]
fn annotations_without_a_gate_file_name_none() {
    let context = Context { gate_file: None, ..CONTEXT };
    assert!(!rendered_in(Format::Github, &situations::deny(), &context).contains("file="));
}

#[test]
fn the_explanation_tells_what_blocks_and_nothing_else() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, decision) in situations::all() {
        let text = lockgate::report::explain(&decision);
        settings.bind(|| insta::assert_snapshot!(format!("explanation__{name}"), text));
    }
}

#[test]
fn the_explanation_is_one_line_of_a_length_that_an_error_message_may_have() {
    for (name, decision) in situations::all() {
        let text = lockgate::report::explain(&decision);
        assert!(text.lines().count() == 1 && text.len() < 8 * 1024, "{name}: {}", text.len());
    }
    let hostile = lockgate::report::explain(&situations::filled_with("\u{1b}[2J\n\u{202e}x"));
    assert!(!hostile.contains(['\u{1b}', '\n', '\u{202e}']), "{hostile}");
}
