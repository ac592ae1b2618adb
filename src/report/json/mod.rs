//! JSON for programs.

mod read;
mod v1;

use std::borrow::Cow;
use std::io;

pub use read::{Unreadable, read};

use super::outline::{Reason, Tally, Weight, reasons};
use super::wording::{TOOL, VERSION};
use crate::decision::{
    Decision, Effect, Enforcement, GateReport, JudgedCheck, Movement, PolicyReport, Unmatched,
    Verdict, WaiverReport, WaiverState,
};
use crate::model::{Comparison, LogLevel, Measure, Outcome, Promotion, Undecided};
use crate::text;

/// The JSON Schema (2020-12) of the JSON report.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::generate::SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<v1::Report<'_>>()
        .to_value()
}

/// The schema of the JSON report as a part of another.
pub fn subschema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    generator.subschema_for::<v1::Report<'_>>()
}

/// The JSON report, pretty-printed.
pub(super) fn render(decision: &Decision) -> io::Result<String> {
    let mut text = text::json(serde_json::to_string_pretty(&report(decision))?);
    text.push('\n');
    Ok(text)
}

/// The JSON report in one line, for storing and sending.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn line(decision: &Decision) -> io::Result<String> {
    let mut line = Vec::with_capacity(USUAL);
    serde_json::to_writer(&mut line, &report(decision))?;
    Ok(text::json(String::from_utf8(line).map_err(io::Error::other)?))
}

/// Bytes of the line of a decision of one gate with a policy or two.
const USUAL: usize = 2048;

/// How the line of a decision begins that is about taking a version away.
const REMOVAL: &str = r#"{"schema":"lockgate.dev/report/v1","movement":"removal","#;

/// Which way a version was to move, by the line of a decision: for lists, which have no use for the
/// rest of it.
#[must_use]
pub fn movement(line: &str) -> Movement {
    if line.starts_with(REMOVAL) { Movement::Removal } else { Movement::Promotion }
}

fn report(decision: &Decision) -> v1::Report<'_> {
    let Tally { deny, undecided, warn, shadow, waived, pass, skip } = Tally::of(decision);
    let reasons = reasons(decision);
    v1::Report {
        schema: v1::SchemaName::V1,
        movement: match decision.movement {
            Movement::Promotion => v1::Movement::Promotion,
            Movement::Removal => v1::Movement::Removal,
        },
        tool: v1::Tool { name: TOOL.into(), version: VERSION.into() },
        verdict: match decision.verdict {
            Verdict::Allow => v1::Verdict::Allow,
            Verdict::Deny => v1::Verdict::Deny,
            Verdict::Undecided => v1::Verdict::Undecided,
        },
        evaluated_at: decision.promotion.at.to_string(),
        gate_file_digest: decision.gate_file.to_string(),
        promotion: promotion(&decision.promotion),
        counts: v1::Counts { deny, undecided, warn, shadow, waived, pass, skip },
        undecided: reasons.iter().map(because).collect(),
        unmatched: decision.unmatched.map(|unmatched| match unmatched {
            Unmatched::Deny => v1::Unmatched::Deny,
            Unmatched::Allow => v1::Unmatched::Allow,
            Unmatched::Undecided => v1::Unmatched::Undecided,
        }),
        gates: decision.gates.iter().map(|report| gate(report, &reasons)).collect(),
        waivers: decision.waivers.iter().map(waiver).collect(),
        evidence: evidence(decision),
    }
}

fn promotion(promotion: &Promotion) -> v1::Promotion<'_> {
    v1::Promotion {
        registry: (&promotion.subject.registry).into(),
        model: (&promotion.subject.model).into(),
        version: (&promotion.subject.version).into(),
        digest: promotion.subject.digest.map(String::from),
        source: promotion.source.as_ref().map(ToString::to_string),
        target: promotion.target.to_string(),
        requested_by: promotion.requested_by.as_deref().map(Cow::from),
    }
}

fn because<'a>(reason: &Reason<'a>) -> v1::Undecided<'a> {
    v1::Undecided {
        code: reason.reason.code().into(),
        message: reason.reason.to_string(),
        facts: facts(reason.reason),
        gate: reason.gate.map(Cow::from),
        policy: reason.policy.map(|policy| (&policy.id).into()),
        blocks: reason.weight == Weight::Blocks,
    }
}

fn facts(reason: &Undecided) -> Option<serde_json::Map<String, serde_json::Value>> {
    let parts = serde_json::to_value(reason).ok()?;
    parts.get("facts")?.as_object().cloned()
}

fn gate<'a>(report: &'a GateReport, reasons: &[Reason<'a>]) -> v1::Gate<'a> {
    let policies = report.policies.iter().map(|policy| {
        let of_policy =
            |reason: &&Reason<'a>| reason.policy.is_some_and(|other| std::ptr::eq(other, policy));
        self::policy(policy, reasons.iter().find(of_policy))
    });
    v1::Gate { name: (&report.name).into(), policies: policies.collect() }
}

fn policy<'a>(report: &'a PolicyReport, reason: Option<&Reason<'a>>) -> v1::Policy<'a> {
    v1::Policy {
        id: (&report.id).into(),
        enforcement: match report.enforcement {
            Enforcement::Deny => v1::Enforcement::Deny,
            Enforcement::Warn => v1::Enforcement::Warn,
            Enforcement::Shadow => v1::Enforcement::Shadow,
        },
        effective_on: report.effective_on.map(String::from),
        component: v1::Component {
            reference: (&report.component.reference).into(),
            digest: report.component.digest.map(String::from),
            name: report.component.name.as_deref().map(Cow::from),
            version: report.component.version.as_deref().map(Cow::from),
        },
        // Params that are no JSON can only be told of a policy that refused them: as their text.
        params: serde_json::from_str(&report.params)
            .unwrap_or_else(|_| serde_json::Value::from(&*report.params)),
        undecided: reason.map(because),
        checks: report.result.iter().flatten().map(check).collect(),
        log: report
            .log
            .iter()
            .map(|line| v1::LogLine {
                level: match line.level {
                    LogLevel::Debug => v1::LogLevel::Debug,
                    LogLevel::Info => v1::LogLevel::Info,
                    LogLevel::Warn => v1::LogLevel::Warn,
                },
                message: (&line.message).into(),
            })
            .collect(),
        usage: v1::Usage {
            fuel: report.usage.fuel,
            peak_memory: report.usage.peak_memory,
            elapsed_us: u64::try_from(report.usage.elapsed.as_micros()).unwrap_or(u64::MAX),
        },
    }
}

fn check(judged: &JudgedCheck) -> v1::Check<'_> {
    let check = &judged.check;
    let (effect, waiver) = match judged.effect {
        Effect::Pass => (v1::Effect::Pass, None),
        Effect::Deny => (v1::Effect::Deny, None),
        Effect::Warn => (v1::Effect::Warn, None),
        Effect::Shadow => (v1::Effect::Shadow, None),
        Effect::Waived(index) => (v1::Effect::Waived, Some(index)),
        Effect::Skip => (v1::Effect::Skip, None),
    };
    v1::Check {
        rule: (&check.rule).into(),
        about: check.about.as_deref().map(Cow::from),
        outcome: match check.outcome {
            Outcome::Pass => v1::Outcome::Pass,
            Outcome::Fail => v1::Outcome::Fail,
            Outcome::Warn => v1::Outcome::Warn,
            Outcome::Skip => v1::Outcome::Skip,
        },
        effect,
        message: (&check.message).into(),
        measure: check.measure.as_ref().map(measure),
        remedy: check.remedy.as_deref().map(Cow::from),
        waiver,
    }
}

fn measure(measure: &Measure) -> v1::Measure<'_> {
    v1::Measure {
        name: (&measure.name).into(),
        actual: measure.actual,
        limit: measure.limit,
        comparison: match measure.comparison {
            Comparison::AtLeast => v1::Comparison::AtLeast,
            Comparison::AtMost => v1::Comparison::AtMost,
        },
        // Two finite numbers can lie further apart than any number can say.
        margin: Some(measure.margin()).filter(|margin| margin.is_finite()),
        unit: measure.unit.as_deref().map(Cow::from),
    }
}

fn waiver(report: &WaiverReport) -> v1::Waiver<'_> {
    v1::Waiver {
        policy: (&report.policy).into(),
        rule: (&report.rule).into(),
        about: report.about.as_deref().map(Cow::from),
        reason: (&report.grant.reason).into(),
        ticket: (&report.grant.ticket).into(),
        approved_by: (&report.grant.approved_by).into(),
        expires: report.grant.expires.to_string(),
        state: match report.state {
            WaiverState::Used => v1::WaiverState::Used,
            WaiverState::ExpiredNeeded => v1::WaiverState::ExpiredNeeded,
            WaiverState::Expired => v1::WaiverState::Expired,
            WaiverState::Useless => v1::WaiverState::Useless,
        },
    }
}

fn evidence(decision: &Decision) -> v1::Evidence<'_> {
    let summary = &decision.evidence;
    let sources = summary.sources.iter().map(|source| v1::Source {
        name: (*source.name).into(),
        format: (&source.format).into(),
        digest: source.digest.to_string(),
        collected_at: source.collected_at.map(String::from),
        baseline: source.baseline,
        kinds: source.kinds.iter().map(|kind| kind.as_str().into()).collect(),
        subjects: source.subjects.iter().map(ToString::to_string).collect(),
        signed_by: Cow::from(&source.signed_by),
    });
    let unmeasured = summary.unmeasured.iter().map(|metric| v1::Unmeasured {
        name: (&metric.name).into(),
        reason: (&metric.reason).into(),
        source: (*metric.source).into(),
    });
    v1::Evidence {
        digest: summary.digest.map(String::from),
        sources: sources.collect(),
        unmeasured: unmeasured.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::decide_removal;
    use crate::model::{Digest, ModelVersion, Target};

    #[test]
    fn the_beginning_of_a_line_tells_which_way_the_version_was_to_move() {
        let subject = ModelVersion {
            registry: "mlflow".to_owned(),
            model: r#"a "movement":"removal","#.to_owned(),
            version: "3".to_owned(),
            digest: None,
        };
        let promotion = Promotion {
            subject,
            source: None,
            target: Target::Alias("champion".to_owned()),
            requested_by: None,
            at: "2026-11-23T12:00:00Z".parse().unwrap(),
        };
        let mut decision = decide_removal(promotion, Digest::of(b"gate file"), &[]);
        for of in [Movement::Removal, Movement::Promotion] {
            decision.movement = of;
            let line = line(&decision).unwrap();
            assert_eq!(movement(&line), of, "{line}");
        }
    }
}
