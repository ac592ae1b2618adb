//! What a policy is, as a page of documentation.

use std::fmt::Write as _;

use super::{evidence, example, params, params_schema, unseen};
use crate::policy::PolicyRef;
use crate::report::{code, prose};
use crate::wasm::Inspection;

pub(super) fn list(policies: &[Inspection]) -> String {
    let mut page = String::from(
        "# Standard policies\n\n\
         They are WebAssembly components like any other policy, and come with lockgate: a gate \
         names them `std/NAME`. Each page is what the component says of itself, as printed by \
         `lockgate policy inspect std/NAME --format markdown`.\n\n\
         | policy | what it checks |\n\
         | --- | --- |\n",
    );
    for policy in policies {
        let description = &policy.description;
        let (name, summary) = (&description.name, prose(&description.summary));
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(page, "| [`std/{name}`]({name}.md) | {summary} |");
    }
    page
}

pub(super) fn page(reference: &PolicyRef, inspection: &Inspection) -> String {
    let description = &inspection.description;
    let schema = params_schema(inspection);
    let mut page = format!(
        "# {}\n\n{}\n\nVersion {}.\n",
        code(&reference.to_string()),
        prose(&description.summary),
        prose(&description.version)
    );
    if let Some(example) = example::of(reference, &schema) {
        let _ = write!(page, "\n```yaml\n{example}```\n");
    }
    page.push_str("\n## Rules\n\n| rule | checks |\n| --- | --- |\n");
    for rule in &description.rules {
        let (title, text) = (prose(&rule.title), prose(&rule.description));
        let _ = writeln!(page, "| `{}` | **{title}.** {text} |", rule.code);
    }
    page.push_str("\n## Params\n\n");
    let rows = params::rows(&schema);
    if rows.is_empty() {
        page.push_str("None.\n");
    } else {
        page.push_str("| key | value | meaning |\n| --- | --- | --- |\n");
    }
    for row in rows {
        let (name, kind, text) = (code(&row.name), prose(&row.kind), prose(&row.description));
        let _ = writeln!(page, "| {name} | {kind} | {text} |");
    }
    page.push_str("\n## What it can see\n\n");
    let mut sees = false;
    for seen in evidence(inspection) {
        let functions: Vec<_> = seen.functions.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(page, "- {}: {}", seen.name, functions.join(", "));
        sees = true;
    }
    if !sees {
        page.push_str("Nothing but its params.\n");
    }
    let _ = writeln!(
        page,
        "\nIt cannot see {}, and no files, network, environment, clock or randomness.",
        unseen(inspection)
    );
    page
}

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::*;
    use crate::model::{Description, Digest, Rule};

    /// Texts that try to act on whatever shows them.
    const TEXTS: [&str; 15] = include!("../../../tests/report/texts.rs");

    fn filled_with(text: &str) -> Inspection {
        let schema = serde_json::json!({
            "type": "object",
            "properties": {(text): {"type": "string", "description": text}},
        });
        Inspection {
            description: Description {
                name: "tenure".into(),
                version: "1.0.0".into(),
                summary: text.into(),
                rules: vec![Rule {
                    code: "one".into(),
                    title: text.into(),
                    description: format!("see `code`, {text}"),
                }],
                params_schema: schema.to_string(),
            },
            digest: Digest::of(b""),
            size: 0,
            imports: Vec::new(),
            exports: Vec::new(),
            sees: Vec::new(),
            blind_to: Vec::new(),
            needs: Vec::new(),
            producers: Vec::new(),
        }
    }

    #[test]
    fn what_a_policy_says_of_itself_does_nothing_but_show_itself() {
        let reference = PolicyRef::Path("tenure.wasm".into());
        for said in TEXTS {
            // The words of a paragraph come to stand at the start of a line, too.
            for said in [said.to_owned(), format!("{}{said}", "word ".repeat(17))] {
                let inspection = filled_with(&said);
                let markdown = page(&reference, &inspection);
                let pages = [
                    markdown.clone(),
                    list(&[filled_with(&said)]),
                    text::page(&reference, &inspection, 40),
                    text::page(&reference, &inspection, 100),
                    text::list(&[inspection]),
                ];
                for page in pages {
                    let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
                    assert!(!page.contains(acts) && !page.contains("##["), "{page}");
                    let commands = page.lines().filter(|line| line.trim_start().starts_with("::"));
                    assert_eq!(commands.count(), 0, "{page}");
                }
                let outside_code = markdown.split('`').step_by(2).collect::<String>();
                for part in ["@everyone", "[x](", "![i]", "<script", "| a | b |"] {
                    assert!(!outside_code.contains(part), "`{part}` in {markdown}");
                }
            }
        }
    }
}
