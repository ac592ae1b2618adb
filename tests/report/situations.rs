//! Decisions of every kind that a report has to tell of.

use std::sync::Arc;
use std::time::Duration;

use lockgate::decision::{
    ComponentReport, Decision, Effect, Enforcement, EvidenceSummary, Gate, GateReport, Grant,
    JudgedCheck, Movement, Patterns, PolicyReport, Removal, Unmatched, Verdict, WaiverReport,
    WaiverState, decide_removal,
};
use lockgate::model::{
    Check, Comparison, Digest, Kind, LogLevel, LogLine, Measure, ModelVersion, Outcome, Promotion,
    Rule, RunUsage, Source, Target, Timestamp, Undecided, Unmeasured,
};

/// Every situation with a name for its snapshots.
pub(crate) fn all() -> Vec<(&'static str, Decision)> {
    vec![
        ("allow", allow()),
        ("deny", deny()),
        ("policy_trap", policy_trap()),
        ("evidence_unreadable", evidence_unreadable()),
        ("unmatched_deny", unmatched(Unmatched::Deny, Verdict::Deny)),
        ("unmatched_allow", unmatched(Unmatched::Allow, Verdict::Allow)),
        ("unmatched_undecided", unmatched(Unmatched::Undecided, Verdict::Undecided)),
        ("warn_and_shadow", warn_and_shadow()),
        ("waivers", waivers()),
        ("removal_denied", removal(Removal::Deny)),
        ("removal_allowed", removal(Removal::Allow)),
    ]
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn decision(verdict: Verdict, policies: Vec<PolicyReport>) -> Decision {
    Decision {
        verdict,
        movement: Movement::Promotion,
        promotion: Promotion {
            subject: ModelVersion {
                registry: "mlflow".into(),
                model: "fraud-detector".into(),
                version: "7".into(),
                digest: Some(Digest::of(b"model")),
            },
            source: Some(Target::Stage("Staging".into())),
            target: Target::Stage("Production".into()),
            requested_by: Some("ada@example.org".into()),
            at: time("2026-11-23T12:00:00Z"),
        },
        gate_file: Digest::of(b"gate file"),
        evidence: EvidenceSummary {
            digest: Some(Digest::of(b"snapshot")),
            sources: vec![
                source("run.json", "mlflow-run", &[Kind::Model, Kind::Metrics], false),
                source("baseline.json", "mlflow-run", &[Kind::Metrics], true),
                Source {
                    collected_at: None,
                    ..source("trivy.json", "trivy", &[Kind::Security], false)
                },
            ],
            unmeasured: vec![Unmeasured {
                name: "val_f1".into(),
                reason: "NaN in `run.json`".into(),
                source: "run.json".into(),
            }],
        },
        undecided: Vec::new(),
        unmatched: None,
        gates: vec![GateReport { name: "production".into(), policies }],
        waivers: Vec::new(),
    }
}

/// What a gate says of taking version 7 away.
pub(crate) fn removal(removal: Removal) -> Decision {
    let gate = Gate {
        name: "production".into(),
        models: Patterns::new(vec!["*".into()]).unwrap(),
        targets: Vec::new(),
        require: Vec::new(),
        guards: Vec::new(),
        removal,
    };
    let like = decision(Verdict::Deny, Vec::new());
    decide_removal(Promotion { source: None, ..like.promotion }, like.gate_file, &[&gate])
}

fn source(name: &str, format: &str, kinds: &[Kind], baseline: bool) -> Source {
    Source {
        name: name.into(),
        format: format.into(),
        digest: Digest::of(name.as_bytes()),
        collected_at: Some(time("2026-11-21T08:30:00Z")),
        baseline,
        kinds: kinds.to_vec(),
        subjects: vec![Digest::of(b"model")],
        signed_by: Vec::new(),
    }
}

pub(crate) fn policy(id: &str, result: Result<Vec<JudgedCheck>, Undecided>) -> PolicyReport {
    let rule = |code: &str, title: &str| Rule {
        code: code.into(),
        title: title.into(),
        description: format!("{title}; fails when it does not hold."),
    };
    PolicyReport {
        id: id.into(),
        enforcement: Enforcement::Deny,
        effective_on: None,
        component: Arc::new(ComponentReport {
            reference: format!("std/{id}"),
            digest: Some(Digest::of(id.as_bytes())),
            name: Some(id.into()),
            version: Some("1.0.0".into()),
            rules: vec![rule("minimum", "Metric reaches its minimum"), rule("present", "Present")],
        }),
        params: Arc::from(r#"{"metrics": [{"name": "val_auc", "min": 0.92}]}"#),
        result,
        usage: RunUsage {
            fuel: 412_345,
            peak_memory: 1_179_648,
            elapsed: Duration::from_micros(52),
        },
        log: vec![LogLine { level: LogLevel::Info, message: "looked at 2 metrics".into() }],
    }
}

pub(crate) fn check(rule: &str, about: &str, effect: Effect, message: &str) -> JudgedCheck {
    let outcome = match effect {
        Effect::Pass => Outcome::Pass,
        Effect::Deny | Effect::Shadow | Effect::Waived(_) => Outcome::Fail,
        Effect::Warn => Outcome::Warn,
        Effect::Skip => Outcome::Skip,
    };
    let about = (!about.is_empty()).then(|| about.to_owned());
    let remedy = (outcome == Outcome::Fail).then(|| "retrain, or ask for a waiver".to_owned());
    let check =
        Check { rule: rule.into(), about, outcome, message: message.into(), measure: None, remedy };
    JudgedCheck { check, effect }
}

pub(crate) fn measured(
    mut judged: JudgedCheck,
    actual: f64,
    limit: f64,
    unit: &str,
) -> JudgedCheck {
    judged.check.measure = Some(Measure {
        name: "val_auc".into(),
        actual,
        limit,
        comparison: if unit.is_empty() { Comparison::AtLeast } else { Comparison::AtMost },
        unit: (!unit.is_empty()).then(|| unit.to_owned()),
    });
    judged
}

fn auc(effect: Effect, actual: f64) -> JudgedCheck {
    let message =
        format!("val_auc on the whole validation set is {actual}, and the gate asks for 0.92");
    measured(check("minimum", "val_auc", effect, &message), actual, 0.92, "")
}

fn waiver(rule: &str, about: Option<&str>, expires: &str, state: WaiverState) -> WaiverReport {
    WaiverReport {
        policy: "model-scan".into(),
        rule: rule.into(),
        about: about.map(str::to_owned),
        grant: Grant {
            reason: "cloudpickle from our own pipeline".into(),
            ticket: "RISK-113".into(),
            approved_by: "risk-board".into(),
            expires: time(expires),
        },
        state,
    }
}

pub(crate) fn allow() -> Decision {
    let cost = measured(
        check("budget", "", Effect::Pass, "training cost 812.4 USD"),
        812.4,
        1000.0,
        "USD",
    );
    decision(
        Verdict::Allow,
        vec![
            policy("metric-threshold", Ok(vec![auc(Effect::Pass, 0.934)])),
            policy("gpu-cost-budget", Ok(vec![cost])),
        ],
    )
}

pub(crate) fn deny() -> Decision {
    let mut denied = decision(
        Verdict::Deny,
        vec![
            policy(
                "metric-threshold",
                Ok(vec![
                    check("present", "val_auc", Effect::Pass, "val_auc is there"),
                    auc(Effect::Deny, 0.914),
                    check("minimum", "val_f1", Effect::Skip, "no minimum is set"),
                ]),
            ),
            policy(
                "model-scan",
                Ok(vec![
                    check(
                        "unsafe-code",
                        "model.pkl",
                        Effect::Waived(0),
                        "model.pkl calls os.system when it is loaded",
                    ),
                    check("skipped-files", "", Effect::Warn, "the scanner passed over 1 file"),
                ]),
            ),
        ],
    );
    denied.waivers =
        vec![waiver("unsafe-code", Some("model.pkl"), "2027-03-31", WaiverState::Used)];
    denied
}

pub(crate) fn policy_trap() -> Decision {
    let trap = Undecided::Trap { detail: "wasm `unreachable` instruction executed".into() };
    decision(
        Verdict::Undecided,
        vec![
            policy("metric-threshold", Ok(vec![auc(Effect::Pass, 0.934)])),
            policy("model-scan", Err(trap)),
        ],
    )
}

pub(crate) fn evidence_unreadable() -> Decision {
    let mut undecided = decision(Verdict::Undecided, Vec::new());
    undecided.evidence = EvidenceSummary::default();
    undecided.undecided = vec![
        Undecided::EvidenceUnreadable {
            source_name: "trivy.json".into(),
            detail: "line 3, column 7: expected `,` or `}`".into(),
        },
        Undecided::EvidenceStale {
            gate: "production".into(),
            kind: Kind::Metrics,
            source_name: "run.json".into(),
            age_seconds: 864_000,
            limit_seconds: 604_800,
        },
    ];
    undecided
}

pub(crate) fn unmatched(meaning: Unmatched, verdict: Verdict) -> Decision {
    let mut unmatched = decision(verdict, Vec::new());
    unmatched.gates.clear();
    unmatched.undecided = vec![Undecided::NoMatchingGate];
    unmatched.unmatched = Some(meaning);
    unmatched
}

pub(crate) fn warn_and_shadow() -> Decision {
    let mut later = policy("baseline-regression", Ok(vec![auc(Effect::Warn, 0.914)]));
    later.enforcement = Enforcement::Warn;
    later.effective_on = Some(time("2027-01-01"));
    let mut warns = policy("tenure", Err(Undecided::NothingChecked));
    warns.enforcement = Enforcement::Warn;
    let mut shadow = policy("slice-gap", Ok(vec![auc(Effect::Shadow, 0.89)]));
    shadow.enforcement = Enforcement::Shadow;
    decision(Verdict::Allow, vec![later, warns, shadow])
}

pub(crate) fn waivers() -> Decision {
    let unsafe_code = "model.pkl calls os.system when it is loaded";
    let mut waived = decision(
        Verdict::Deny,
        vec![policy(
            "model-scan",
            Ok(vec![
                check("unsafe-code", "model.pkl", Effect::Waived(1), unsafe_code),
                check("unsafe-code", "tokenizer.pkl", Effect::Deny, unsafe_code),
            ]),
        )],
    );
    waived.waivers = vec![
        waiver("unsafe-code", Some("tokenizer.pkl"), "2026-11-01", WaiverState::ExpiredNeeded),
        waiver("unsafe-code", Some("model.pkl"), "2027-03-31", WaiverState::Used),
        waiver("skipped-files", None, "2026-10-01", WaiverState::Expired),
        waiver("failed-files", None, "2027-03-31", WaiverState::Useless),
    ];
    waived
}

/// A thousand checks in one policy, one in ten of them denying.
pub(crate) fn thousand_checks() -> Decision {
    let checks = (0..1000).map(|index| {
        let effect = if index % 10 == 0 { Effect::Deny } else { Effect::Pass };
        check("severity", &format!("CVE-2026-{index}"), effect, "high severity, fixed in 1.2.3")
    });
    decision(Verdict::Deny, vec![policy("vulnerability-threshold", Ok(checks.collect()))])
}

/// A decision in which every text that comes from outside is `text`.
pub(crate) fn filled_with(text: &str) -> Decision {
    let owned = || text.to_owned();
    let waived = measured(
        JudgedCheck {
            check: Check {
                rule: owned(),
                about: Some(owned()),
                outcome: Outcome::Fail,
                message: owned(),
                measure: None,
                remedy: Some(owned()),
            },
            effect: Effect::Waived(0),
        },
        1.0,
        2.0,
        text,
    );
    let mut denied = waived.clone();
    denied.effect = Effect::Deny;
    let (mut warned, mut named) = (waived.clone(), waived.clone());
    warned.effect = Effect::Warn;
    if let Some(measure) = &mut named.check.measure {
        measure.name = owned();
        measure.unit = Some(owned());
    }
    named.check.about = None;
    let mut judged = policy(text, Ok(vec![waived, denied, warned, named]));
    judged.component = Arc::new(ComponentReport {
        reference: owned(),
        name: Some(owned()),
        version: Some(owned()),
        rules: vec![Rule { code: owned(), title: owned(), description: owned() }],
        ..ComponentReport::clone(&judged.component)
    });
    judged.params = Arc::from(text);
    judged.log = vec![LogLine { level: LogLevel::Warn, message: owned() }];
    let trapped = policy(text, Err(Undecided::Trap { detail: owned() }));
    let mut filled = decision(Verdict::Deny, vec![judged, trapped]);
    filled.promotion.subject =
        ModelVersion { registry: owned(), model: owned(), version: owned(), digest: None };
    filled.promotion.requested_by = Some(owned());
    filled.promotion.target = Target::Alias(owned());
    filled.gates[0].name = owned();
    filled.evidence.sources = vec![Source {
        format: owned(),
        signed_by: vec![owned()],
        ..source(text, "", &[Kind::Documents], false)
    }];
    filled.evidence.unmeasured =
        vec![Unmeasured { name: owned(), reason: owned(), source: Arc::from(text) }];
    filled.undecided = vec![Undecided::EvidenceMismatch { source_name: owned(), detail: owned() }];
    filled.waivers = [WaiverState::Used, WaiverState::Useless]
        .into_iter()
        .map(|state| WaiverReport {
            policy: owned(),
            rule: owned(),
            about: Some(owned()),
            grant: Grant {
                reason: owned(),
                ticket: owned(),
                approved_by: owned(),
                expires: time("2027-03-31"),
            },
            state,
        })
        .collect();
    filled
}
