//! What a policy is, for people at a terminal.

use super::{evidence, example, needs, params, params_schema, producers, unseen};
use crate::policy::PolicyRef;
use crate::text::{guarded, plain};
use crate::wasm::Inspection;

/// Columns within which a line is comfortable to read.
const WIDTHS: (usize, usize) = (40, 100);
/// Columns of the labels above the rules.
const LABEL: usize = 12;

pub(super) fn list(policies: &[Inspection]) -> String {
    let widest = policies.iter().map(|policy| policy.description.name.len()).max().unwrap_or(0);
    policies
        .iter()
        .map(|policy| {
            let description = &policy.description;
            let (name, summary) = (&description.name, plain(&description.summary));
            format!("std/{name:widest$}  {summary}\n")
        })
        .collect()
}

pub(super) fn page(reference: &PolicyRef, inspection: &Inspection, width: usize) -> String {
    let description = &inspection.description;
    let schema = params_schema(inspection);
    let mut page = Page { text: String::new(), width: width.clamp(WIDTHS.0, WIDTHS.1) };

    page.line(&format!("{} {}", description.name, description.version));
    page.paragraph(0, "", &plain(&description.summary));
    page.line("");
    page.labelled("policy", &plain(&reference.to_string()));
    page.labelled("digest", &inspection.digest.to_string());
    page.labelled("size", &format!("{} KiB", inspection.size.div_ceil(1024)));
    let mut label = "can see";
    for seen in evidence(inspection) {
        page.labelled(label, &format!("{}: {}", seen.name, seen.functions.join(", ")));
        label = "";
    }
    if !label.is_empty() {
        page.labelled(label, "nothing but its params");
    }
    page.labelled("cannot see", &unseen(inspection));
    page.labelled("", "no files, network, environment, clock or randomness");
    let mut label = "needs";
    for need in needs(inspection) {
        page.labelled(label, &need);
        label = "";
    }
    page.labelled("", "before it judges; that takes more, by what there is to judge");
    let producers = producers(inspection);
    if !producers.is_empty() {
        page.labelled("made with", &producers);
    }

    page.line("\nrules");
    for rule in &description.rules {
        page.paragraph(2, &format!("{}: ", rule.code), &plain(&rule.title));
        page.paragraph(6, "", &plain(&rule.description));
    }
    let rows = params::rows(&schema);
    if !rows.is_empty() {
        page.line("\nparams");
    }
    for row in rows {
        page.paragraph(2, &format!("{}: ", plain(&row.name)), &plain(&row.kind));
        page.paragraph(6, "", &plain(&row.description));
    }
    if let Some(example) = example::of(reference, &schema) {
        page.line("\nin a gate");
        for line in example.lines() {
            page.line(&format!("  {line}"));
        }
    }
    page.text
}

struct Page {
    text: String,
    width: usize,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.text.push_str(&guarded(text));
        self.text.push('\n');
    }

    fn labelled(&mut self, label: &str, text: &str) {
        self.paragraph(0, &format!("{label:LABEL$}"), text);
    }

    /// Words in lines of at most the page's width, the later ones indented by two more than the
    /// first, or to the column behind a label.
    fn paragraph(&mut self, indent: usize, lead: &str, text: &str) {
        let hanging = match (indent, lead.is_empty()) {
            (indent, true) => indent,
            (0, false) => LABEL,
            (indent, false) => indent.saturating_add(4),
        };
        let mut line = format!("{:indent$}{lead}", "");
        let mut blank = true;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let columns = line.chars().count().saturating_add(word.chars().count());
            if !blank && columns >= self.width {
                self.line(line.trim_end());
                line = " ".repeat(hanging);
            } else if !blank {
                line.push(' ');
            }
            line.push_str(word);
            blank = false;
        }
        if !blank || !lead.trim().is_empty() {
            self.line(line.trim_end());
        }
    }
}
