//! What a policy is, as a page of documentation.

use std::fmt::Write as _;

use super::{evidence, example, params, params_schema, unseen};
use crate::policy::PolicyRef;
use crate::report::plain;
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
        let (name, summary) = (&description.name, cell(&description.summary));
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(page, "| [`std/{name}`]({name}.md) | {summary} |");
    }
    page
}

pub(super) fn page(reference: &PolicyRef, inspection: &Inspection) -> String {
    let description = &inspection.description;
    let schema = params_schema(inspection);
    let mut page = format!(
        "# `{}`\n\n{}\n\nVersion {}.\n",
        plain(&reference.to_string()),
        escaped(&description.summary),
        description.version
    );
    if let Some(example) = example::of(reference, &schema) {
        let _ = write!(page, "\n```yaml\n{example}```\n");
    }
    page.push_str("\n## Rules\n\n| rule | checks |\n| --- | --- |\n");
    for rule in &description.rules {
        let (title, text) = (cell(&rule.title), cell(&rule.description));
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
        let (name, kind, text) = (cell(&row.name), cell(&row.kind), cell(&row.description));
        let _ = writeln!(page, "| `{name}` | {kind} | {text} |");
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

fn cell(text: &str) -> String {
    escaped(text).replace('|', "\\|")
}

/// Text as itself: code in backticks stays code, tags and links do nothing.
fn escaped(text: &str) -> String {
    plain(text).replace('<', "&lt;").replace("](", "]\\(")
}
