//! From JSON back to the decision that it was made of.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::v1;
use crate::decision::{
    ComponentReport, Decision, Effect, Enforcement, EvidenceSummary, GateReport, Grant,
    JudgedCheck, Movement, PolicyReport, Unmatched, Verdict, WaiverReport, WaiverState,
};
use crate::model::{
    Check, Comparison, LogLevel, LogLine, Measure, ModelVersion, Outcome, Promotion, RunUsage,
    Source, Undecided, Unmeasured,
};

/// A JSON report that this lockgate cannot read.
#[derive(Debug, thiserror::Error)]
#[error("the decision cannot be read: {0}; a later lockgate may have made it")]
pub struct Unreadable(String);

impl Unreadable {
    fn new(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// Reads a JSON report. What it does not tell is left out: the titles and descriptions of rules,
/// and the time of a run below the microsecond.
///
/// # Errors
/// When it is no JSON report of a version that is known, or a later lockgate has said in it what
/// this one has no words for.
pub fn read(text: &str) -> Result<Decision, Unreadable> {
    let report: v1::Report<'_> = serde_json::from_str(text).map_err(Unreadable::new)?;
    // Of the reasons, those of policies stand with the policies.
    let apart = report.undecided.iter().filter(|reason| reason.policy.is_none());
    Ok(Decision {
        verdict: match report.verdict {
            v1::Verdict::Allow => Verdict::Allow,
            v1::Verdict::Deny => Verdict::Deny,
            v1::Verdict::Undecided => Verdict::Undecided,
        },
        movement: match report.movement {
            v1::Movement::Promotion => Movement::Promotion,
            v1::Movement::Removal => Movement::Removal,
        },
        promotion: promotion(&report.promotion, &report.evaluated_at)?,
        gate_file: parsed(&report.gate_file_digest)?,
        undecided: apart.map(because).collect::<Result<_, _>>()?,
        unmatched: report.unmatched.map(|unmatched| match unmatched {
            v1::Unmatched::Deny => Unmatched::Deny,
            v1::Unmatched::Allow => Unmatched::Allow,
            v1::Unmatched::Undecided => Unmatched::Undecided,
        }),
        gates: report.gates.into_iter().map(gate).collect::<Result<_, _>>()?,
        waivers: report.waivers.into_iter().map(waiver).collect::<Result<_, _>>()?,
        evidence: evidence(report.evidence)?,
    })
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Unreadable> {
    text.parse().map_err(Unreadable::new)
}

fn maybe<T: std::str::FromStr<Err: std::fmt::Display>>(
    text: Option<impl AsRef<str>>,
) -> Result<Option<T>, Unreadable> {
    text.map(|text| parsed(text.as_ref())).transpose()
}

fn promotion(promotion: &v1::Promotion<'_>, at: &str) -> Result<Promotion, Unreadable> {
    Ok(Promotion {
        subject: ModelVersion {
            registry: promotion.registry.to_string(),
            model: promotion.model.to_string(),
            version: promotion.version.to_string(),
            digest: maybe(promotion.digest.as_ref())?,
        },
        source: maybe(promotion.source.as_ref())?,
        target: parsed(&promotion.target)?,
        requested_by: promotion.requested_by.as_ref().map(ToString::to_string),
        at: parsed(at)?,
    })
}

fn because(reason: &v1::Undecided<'_>) -> Result<Undecided, Unreadable> {
    let mut parts = json!({ "code": reason.code });
    if let (Some(facts), Some(parts)) = (&reason.facts, parts.as_object_mut()) {
        parts.insert("facts".to_owned(), serde_json::Value::Object(facts.clone()));
    }
    serde_json::from_value(parts).map_err(Unreadable::new)
}

fn gate(gate: v1::Gate<'_>) -> Result<GateReport, Unreadable> {
    Ok(GateReport {
        name: gate.name.into_owned(),
        policies: gate.policies.into_iter().map(policy).collect::<Result<_, _>>()?,
    })
}

fn policy(policy: v1::Policy<'_>) -> Result<PolicyReport, Unreadable> {
    let result = match &policy.undecided {
        Some(reason) => Err(because(reason)?),
        None => Ok(policy.checks.into_iter().map(check).collect::<Result<_, _>>()?),
    };
    Ok(PolicyReport {
        id: policy.id.into_owned(),
        enforcement: match policy.enforcement {
            v1::Enforcement::Deny => Enforcement::Deny,
            v1::Enforcement::Warn => Enforcement::Warn,
            v1::Enforcement::Shadow => Enforcement::Shadow,
        },
        effective_on: maybe(policy.effective_on)?,
        component: Arc::new(ComponentReport {
            reference: policy.component.reference.into_owned(),
            digest: maybe(policy.component.digest)?,
            name: policy.component.name.map(Into::into),
            version: policy.component.version.map(Into::into),
            rules: Vec::new(),
        }),
        params: match policy.params.as_str() {
            Some(text) => Arc::from(text),
            None => Arc::from(policy.params.to_string()),
        },
        result,
        usage: RunUsage {
            fuel: policy.usage.fuel,
            peak_memory: policy.usage.peak_memory,
            elapsed: Duration::from_micros(policy.usage.elapsed_us),
        },
        log: policy
            .log
            .into_iter()
            .map(|line| LogLine {
                level: match line.level {
                    v1::LogLevel::Debug => LogLevel::Debug,
                    v1::LogLevel::Info => LogLevel::Info,
                    v1::LogLevel::Warn => LogLevel::Warn,
                },
                message: line.message.into_owned(),
            })
            .collect(),
    })
}

fn check(check: v1::Check<'_>) -> Result<JudgedCheck, Unreadable> {
    let effect = match check.effect {
        v1::Effect::Pass => Effect::Pass,
        v1::Effect::Deny => Effect::Deny,
        v1::Effect::Warn => Effect::Warn,
        v1::Effect::Shadow => Effect::Shadow,
        v1::Effect::Waived => Effect::Waived(
            check.waiver.ok_or_else(|| Unreadable::new("a check is waived by no waiver"))?,
        ),
        v1::Effect::Skip => Effect::Skip,
    };
    Ok(JudgedCheck {
        check: Check {
            rule: check.rule.into_owned(),
            about: check.about.map(Into::into),
            outcome: match check.outcome {
                v1::Outcome::Pass => Outcome::Pass,
                v1::Outcome::Fail => Outcome::Fail,
                v1::Outcome::Warn => Outcome::Warn,
                v1::Outcome::Skip => Outcome::Skip,
            },
            message: check.message.into_owned(),
            measure: check.measure.map(|measure| Measure {
                name: measure.name.into_owned(),
                actual: measure.actual,
                limit: measure.limit,
                comparison: match measure.comparison {
                    v1::Comparison::AtLeast => Comparison::AtLeast,
                    v1::Comparison::AtMost => Comparison::AtMost,
                },
                unit: measure.unit.map(Into::into),
            }),
            remedy: check.remedy.map(Into::into),
        },
        effect,
    })
}

fn waiver(waiver: v1::Waiver<'_>) -> Result<WaiverReport, Unreadable> {
    Ok(WaiverReport {
        policy: waiver.policy.into_owned(),
        rule: waiver.rule.into_owned(),
        about: waiver.about.map(Into::into),
        grant: Grant {
            reason: waiver.reason.into_owned(),
            ticket: waiver.ticket.into_owned(),
            approved_by: waiver.approved_by.into_owned(),
            expires: parsed(&waiver.expires)?,
        },
        state: match waiver.state {
            v1::WaiverState::Used => WaiverState::Used,
            v1::WaiverState::ExpiredNeeded => WaiverState::ExpiredNeeded,
            v1::WaiverState::Expired => WaiverState::Expired,
            v1::WaiverState::Useless => WaiverState::Useless,
        },
    })
}

fn evidence(evidence: v1::Evidence<'_>) -> Result<EvidenceSummary, Unreadable> {
    let source = |source: v1::Source<'_>| {
        let kind = |kind: std::borrow::Cow<'_, str>| {
            serde_json::from_value(json!(kind)).map_err(Unreadable::new)
        };
        Ok(Source {
            name: source.name.into(),
            format: source.format.into_owned(),
            digest: parsed(&source.digest)?,
            collected_at: maybe(source.collected_at)?,
            baseline: source.baseline,
            kinds: source.kinds.into_iter().map(kind).collect::<Result<_, _>>()?,
            subjects: source.subjects.iter().map(|text| parsed(text)).collect::<Result<_, _>>()?,
            signed_by: source.signed_by.into_owned(),
        })
    };
    let unmeasured = |metric: v1::Unmeasured<'_>| Unmeasured {
        name: metric.name.into_owned(),
        reason: metric.reason.into_owned(),
        source: metric.source.into(),
    };
    Ok(EvidenceSummary {
        digest: maybe(evidence.digest)?,
        sources: evidence.sources.into_iter().map(source).collect::<Result<_, Unreadable>>()?,
        unmeasured: evidence.unmeasured.into_iter().map(unmeasured).collect(),
    })
}
