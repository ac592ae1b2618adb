//! Texts that try to act on whatever shows the report.

use lockgate::report::{Context, Format};
use proptest::prelude::*;

use crate::{CONTEXT, rendered, rendered_in, situations};

const TEXTS: [&str; 15] = include!("texts.rs");

#[test]
fn no_report_for_people_holds_a_control_or_an_invisible_character() {
    for text in TEXTS {
        let decision = situations::filled_with(text);
        for format in Format::ALL {
            let report = rendered(format, &decision);
            let acts = |character: &char| {
                (character.is_control() && *character != '\n')
                    || ('\u{200e}'..='\u{200f}').contains(character)
                    || ('\u{2028}'..='\u{202e}').contains(character)
                    || ('\u{2066}'..='\u{2069}').contains(character)
                    || ['\u{200b}', '\u{feff}', '\u{fffe}', '\u{ffff}'].contains(character)
            };
            let found: Vec<_> = report.chars().filter(acts).collect();
            assert_eq!(found, [], "{format} of {text:?}");
        }
    }
}

#[test]
fn no_report_but_the_annotations_holds_a_workflow_command() {
    for text in TEXTS {
        let decision = situations::filled_with(text);
        for width in [40, 57, 100] {
            let context = Context { width, ..CONTEXT };
            for format in Format::ALL {
                let report = rendered_in(format, &decision, &context);
                assert!(!report.contains("##["), "{format} of {text:?}");
                let commands = report.lines().filter(|line| line.trim_start().starts_with("::"));
                if format != Format::Github {
                    assert_eq!(commands.count(), 0, "{format} of {text:?}: {report}");
                }
            }
        }
    }
}

#[test]
fn a_text_makes_no_annotation_of_its_own() {
    let harmless = rendered(Format::Github, &situations::filled_with("x"));
    for text in TEXTS {
        let report = rendered(Format::Github, &situations::filled_with(text));
        assert_eq!(report.lines().count(), harmless.lines().count(), "{text:?}: {report}");
        for line in report.lines() {
            let (head, _) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
            let (level, properties) = head.split_once(' ').unwrap();
            assert!(["error", "warning", "notice"].contains(&level), "{line}");
            let names: Vec<_> =
                properties.split(',').map(|property| property.split_once('=').unwrap().0).collect();
            assert_eq!(names, ["title", "file"], "{line}");
            assert!(line.contains(",file=lockgate.yaml::"), "{line}");
        }
    }
}

#[test]
fn a_text_adds_no_line_to_the_reports_for_people() {
    for format in [Format::Markdown, Format::Github] {
        let harmless = rendered(format, &situations::filled_with("x")).lines().count();
        for text in TEXTS {
            let lines = rendered(format, &situations::filled_with(text)).lines().count();
            assert_eq!(lines, harmless, "{format} of {text:?}");
        }
    }
}

#[test]
fn a_text_adds_no_cell_or_tag_to_the_markdown() {
    let shape = |text: &str| -> Vec<(usize, usize)> {
        rendered(Format::Markdown, &situations::filled_with(text))
            .lines()
            .map(|line| {
                // `<code>` is how names are written that no code span can hold.
                let tags = line.replace("<code>", "").replace("</code>", "");
                (line.matches('|').count(), tags.matches('<').count())
            })
            .collect()
    };
    for text in TEXTS {
        assert_eq!(shape(text), shape("x"), "{text:?}");
    }
}

#[test]
fn a_text_mentions_nobody() {
    let markdown = rendered(Format::Markdown, &situations::filled_with("@everyone, hello"));
    let outside_code = markdown.split('`').step_by(2).collect::<String>();
    assert!(!outside_code.contains("@everyone"), "{outside_code}");
    assert!(outside_code.contains("@&#8203;everyone"), "{outside_code}");
}

#[test]
fn a_long_text_is_cut_in_reports_for_people_and_whole_in_json() {
    let text = "long ".repeat(2_000);
    let decision = situations::filled_with(&text);
    for format in [Format::Table, Format::Markdown, Format::Github] {
        let report = rendered(format, &decision);
        assert!(!report.contains(&text), "{format}");
        assert!(report.contains("more characters)"), "{format}");
    }
    assert!(rendered(Format::Json, &decision).contains(&text));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_told_in_every_format(text in any::<String>()) {
        let decision = situations::filled_with(&text);
        for format in Format::ALL {
            let report = rendered(format, &decision);
            let acts = report.contains(['\u{1b}', '\r', '\u{9b}', '\u{202e}']);
            prop_assert!(!acts, "{}", report);
        }
        let json: serde_json::Value =
            serde_json::from_str(&rendered(Format::Json, &decision)).unwrap();
        prop_assert_eq!(&json["gates"][0]["policies"][0]["checks"][0]["message"], &text);
        let junit = rendered(Format::Junit, &decision);
        prop_assert!(quick_junit::Report::deserialize_from_str(&junit).is_ok());
    }
}
