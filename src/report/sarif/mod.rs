//! SARIF 2.1.0 for code scanning.
//!
//! Checks that pass or skip are left out: GitHub shows every result as an alert, whatever its
//! `kind` (microsoft/PSRule issue 955), and refuses one without a location (github/codeql-action
//! issue 2459). It does not read `suppressions` either (github/codeql-action issue 1230), so a
//! waived failure is also no more than a note.

mod log;

use std::collections::BTreeMap;
use std::io;

use serde_json::json;

use super::Context;
use super::outline::{Placed, Reason, Weight, concerns, reasons, waiver_of};
use super::wording::{self, TOOL, VERSION};
use crate::decision::{Decision, Movement};
use crate::model::Digest;
use crate::text;
use log::{Level, Message, Outcome, Rule};

/// Results that GitHub takes in a run; it refuses a file with more (GitHub documentation, "SARIF
/// results exceed one or more limits").
const MOST_RESULTS: usize = 25_000;
/// Where results point when no gate file is named.
const DEFAULT_GATE_FILE: &str = "lockgate.yaml";

pub(super) fn render(decision: &Decision, context: &Context<'_>) -> io::Result<String> {
    let mut text = text::json(serde_json::to_string_pretty(&log(decision, context))?);
    text.push('\n');
    Ok(text)
}

fn log(decision: &Decision, context: &Context<'_>) -> log::Log {
    let mut run = Results::new(decision, context);
    let reasons = reasons(decision);
    for reason in &reasons {
        run.push_reason(reason);
    }
    for (weight, placed) in concerns(decision) {
        run.push_check(weight, &placed);
    }
    let Results { rules, mut results, .. } = run;
    results.sort_by_key(|result| result.level);
    let left_out = results.len().saturating_sub(MOST_RESULTS);
    results.truncate(MOST_RESULTS);

    let mut notifications: Vec<_> = reasons.iter().map(|reason| notify(decision, reason)).collect();
    notifications.extend((left_out > 0).then(|| log::Notification {
        level: Level::Warning,
        message: message(&format!("{left_out} more results are left out; the JSON report has all")),
        descriptor: None,
    }));
    let promotion = &decision.promotion;
    log::Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [log::Run {
            tool: log::Tool {
                driver: log::Driver {
                    name: TOOL,
                    semantic_version: VERSION,
                    information_uri: env!("CARGO_PKG_REPOSITORY"),
                    rules: rules.list,
                },
            },
            // The part before the last slash tells GitHub which earlier run this one replaces:
            // that on the same model and target.
            automation_details: log::AutomationDetails {
                id: text::plain(&format!(
                    "{TOOL}/{}/{}/{}",
                    promotion.subject.model,
                    promotion.target,
                    match decision.movement {
                        Movement::Promotion => "",
                        Movement::Removal => "removal/",
                    }
                )),
            },
            invocations: [log::Invocation {
                execution_successful: reasons.iter().all(|reason| !keeps_from_judging(reason)),
                tool_execution_notifications: notifications,
            }],
            results,
            properties: json!({
                "verdict": decision.verdict,
                "movement": decision.movement,
                "subject": promotion.subject.to_string(),
                "target": promotion.target,
                "evaluatedAt": promotion.at,
                "evidenceDigest": decision.evidence.digest,
            }),
        }],
    }
}

/// Whether something that counts could not be judged. That no gate matches is no such thing: the
/// gate file says what it means.
fn keeps_from_judging(reason: &Reason<'_>) -> bool {
    reason.weight == Weight::Blocks && *reason.reason != crate::model::Undecided::NoMatchingGate
}

fn notify(decision: &Decision, reason: &Reason<'_>) -> log::Notification {
    log::Notification {
        level: level(reason.weight),
        message: message(&told(decision, reason)),
        descriptor: Some(log::RuleReference { id: reason_id(reason) }),
    }
}

/// The results and the rules they refer to.
struct Results<'a> {
    decision: &'a Decision,
    location: log::Location,
    rules: Rules,
    results: Vec<Outcome>,
    /// How often a fingerprint has come up, so that results alike in all but their message keep
    /// apart.
    seen: BTreeMap<String, usize>,
}

impl<'a> Results<'a> {
    fn new(decision: &'a Decision, context: &Context<'_>) -> Self {
        let mut rules = Rules::default();
        for policy in decision.gates.iter().flat_map(|gate| &gate.policies) {
            for rule in &policy.component.rules {
                let (title, description) =
                    (message(&text::plain(&rule.title)), message(&text::plain(&rule.description)));
                rules.index(&rule_id(&policy.id, &rule.code), title, description);
            }
        }
        let location = log::Location {
            physical_location: log::PhysicalLocation {
                artifact_location: log::ArtifactLocation {
                    uri: uri(context.gate_file.unwrap_or(DEFAULT_GATE_FILE)),
                },
                region: log::Region { start_line: 1 },
            },
        };
        Self { decision, location, rules, results: Vec::new(), seen: BTreeMap::new() }
    }

    fn push_reason(&mut self, reason: &Reason<'_>) {
        let title = message(&format!("Undecided: {}", reason.reason.code()));
        let description = message("A reason for which the promotion could not be judged in full.");
        let rule_index = self.rules.index(&reason_id(reason), title, description);
        let text = told(self.decision, reason);
        // There may be a reason of the same code for each source.
        let of_policy = reason.policy.map_or("", |policy| policy.id.as_str());
        let about = reason.reason.about().unwrap_or_default();
        let identity = [reason.gate.unwrap_or_default(), of_policy, about];
        let rule_id = reason_id(reason);
        let fingerprints = self.fingerprints(&rule_id, &identity);
        self.results.push(Outcome {
            rule_id,
            rule_index,
            level: level(reason.weight),
            message: message(&text),
            locations: [self.location.clone()],
            partial_fingerprints: fingerprints,
            suppressions: Vec::new(),
            properties: json!({
                "gate": reason.gate,
                "policy": reason.policy.map(|policy| &policy.id),
                "code": reason.reason.code(),
            }),
        });
    }

    fn push_check(&mut self, weight: Weight, placed: &Placed<'_>) {
        let Placed { gate, policy, judged } = placed;
        let check = &judged.check;
        let rule_id = rule_id(&policy.id, &check.rule);
        let code = text::plain(&check.rule);
        let rule_index = self.rules.index(&rule_id, message(&code), message(&code));
        let mut text = format!("{}: {}", wording::title(check), text::plain(&check.message));
        if let Some(measure) = wording::measure(check) {
            text.push_str(&format!("; {measure}"));
        }
        if let Some(remedy) = &check.remedy {
            text.push_str(&format!("; fix: {}", text::plain(remedy)));
        }
        let suppression = waiver_of(self.decision, judged).map(|waiver| log::Suppression {
            kind: "external",
            status: "accepted",
            justification: wording::grant(waiver),
        });
        let measure = check.measure.as_ref().map(|measure| {
            json!({
                "name": measure.name,
                "actual": measure.actual,
                "limit": measure.limit,
                "comparison": measure.comparison,
                "unit": measure.unit,
            })
        });
        let identity = [*gate, policy.id.as_str(), check.about.as_deref().unwrap_or_default()];
        let fingerprints = self.fingerprints(&rule_id, &identity);
        self.results.push(Outcome {
            rule_id,
            rule_index,
            level: level(weight),
            message: message(&text),
            locations: [self.location.clone()],
            partial_fingerprints: fingerprints,
            suppressions: suppression.into_iter().collect(),
            properties: json!({
                "gate": gate,
                "policy": policy.id,
                "effect": wording::effect(judged.effect),
                "outcome": check.outcome,
                "measure": measure,
            }),
        });
    }

    /// The same for the same failure of later versions of the model, so that an alert stays the
    /// same alert until it is fixed. GitHub would otherwise hash the line that a result points to,
    /// which is the same for all of them.
    fn fingerprints(&mut self, rule_id: &str, identity: &[&str]) -> log::Fingerprints {
        let promotion = &self.decision.promotion;
        let target = promotion.target.to_string();
        let parts =
            [promotion.subject.registry.as_str(), &promotion.subject.model, &target, rule_id];
        let parts: Vec<_> = parts.iter().chain(identity).collect();
        // JSON keeps the parts apart, whatever is in them.
        let mut digest = Digest::of(json!(parts).to_string().as_bytes()).hex();
        digest.truncate(32);
        let count = self.seen.entry(digest.clone()).or_insert(0);
        *count += 1;
        let fingerprint = format!("{digest}:{count}");
        log::Fingerprints { own: fingerprint.clone(), github: fingerprint }
    }
}

/// The rules in the order in which they came up, each once.
#[derive(Default)]
struct Rules {
    list: Vec<Rule>,
    places: BTreeMap<String, usize>,
}

impl Rules {
    fn index(&mut self, id: &str, title: Message, description: Message) -> usize {
        if let Some(place) = self.places.get(id) {
            return *place;
        }
        let place = self.list.len();
        self.list.push(Rule {
            id: id.to_owned(),
            short_description: title,
            full_description: description,
        });
        self.places.insert(id.to_owned(), place);
        place
    }
}

fn rule_id(policy: &str, rule: &str) -> String {
    format!("{}/{}", text::plain(policy), text::plain(rule))
}

fn reason_id(reason: &Reason<'_>) -> String {
    format!("{TOOL}/{}", reason.reason.code().replace('_', "-"))
}

fn told(decision: &Decision, reason: &Reason<'_>) -> String {
    let text = wording::reason(decision, reason.reason);
    match reason.policy {
        Some(policy) => format!("{}: {text}", text::plain(&policy.id)),
        None => text,
    }
}

const fn level(weight: Weight) -> Level {
    match weight {
        Weight::Blocks => Level::Error,
        Weight::Warns => Level::Warning,
        Weight::Noted => Level::Note,
    }
}

/// A message in plain text, whose brackets are no link and whose braces no placeholder (SARIF
/// 2.1.0, sections 3.11.5 and 3.11.6).
fn message(text: &str) -> Message {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '[' | ']' => escaped.extend(['\\', character]),
            '{' | '}' => escaped.extend([character, character]),
            _ => escaped.push(character),
        }
    }
    Message { text: escaped }
}

/// A path as a URI reference (RFC 3986), relative where the path is.
fn uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    let path = path.strip_prefix("./").unwrap_or(&path);
    let scheme = if path.starts_with('/') { "file://" } else { "" };
    let mut uri = scheme.to_owned();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_uri_reference() {
        assert_eq!(uri("./gates/lockgate.yaml"), "gates/lockgate.yaml");
        assert_eq!(uri("/srv/a b.yaml"), "file:///srv/a%20b.yaml");
        assert_eq!(uri("gates\\é:.yaml"), "gates/%C3%A9%3A.yaml");
    }

    #[test]
    fn a_message_holds_neither_links_nor_placeholders() {
        assert_eq!(message("[x](http://y) {0}").text, "\\[x\\](http://y) {{0}}");
    }
}
