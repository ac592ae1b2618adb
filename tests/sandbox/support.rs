use std::path::Path;
use std::sync::Arc;

use lockgate::decision::{
    Answered, Enforcement, Gate, GateInput, Guard, Inputs, Patterns, Removal, TargetPattern,
    Unmatched, Verdict, decide,
};
use lockgate::model::{
    Check, Digest, ModelVersion, Promotion, Snapshot, Target, Timestamp, Undecided,
};
use lockgate::policy::{Evaluation, Facts, Limits, Policy, PolicyLoader, PolicyRef};
use lockgate::wasm::Sandbox;

pub(crate) fn sandbox() -> Sandbox {
    Sandbox::new(None, |_| ()).unwrap()
}

/// One of each kind.
pub(crate) fn sandboxes() -> [Sandbox; 2] {
    [sandbox(), Sandbox::for_few(None, |_| ()).unwrap()]
}

pub(crate) fn promotion() -> Promotion {
    Promotion {
        subject: ModelVersion {
            registry: "local".into(),
            model: "fraud-detector".into(),
            version: "3".into(),
            digest: None,
        },
        source: None,
        target: Target::Stage("Production".into()),
        requested_by: None,
        at: Timestamp::from_seconds(1_795_435_200).unwrap(),
    }
}

pub(crate) fn facts() -> Facts {
    Facts::new(promotion(), Arc::new(Snapshot::default()))
}

/// Writes `component` to a file and loads it.
pub(crate) fn load(sandbox: &Sandbox, component: &[u8]) -> Result<Arc<dyn Policy>, Undecided> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.wasm");
    std::fs::write(&path, component).unwrap();
    load_file(sandbox, &path)
}

pub(crate) fn load_file(sandbox: &Sandbox, path: &Path) -> Result<Arc<dyn Policy>, Undecided> {
    sandbox.load(&PolicyRef::Path(path.to_owned()))
}

pub(crate) fn honest(sandbox: &Sandbox) -> Arc<dyn Policy> {
    load(sandbox, &lockgate_guests::component(lockgate_guests::HONEST)).unwrap()
}

pub(crate) fn evaluate(policy: &dyn Policy, limits: &Limits) -> Evaluation {
    policy.evaluate(&facts(), "{}", limits)
}

/// The verdict of a gate with this one policy.
pub(crate) fn verdict(result: Result<Vec<Check>, Undecided>) -> Verdict {
    let promotion = promotion();
    let gate = Gate {
        name: "gate".into(),
        models: Patterns::new(vec!["*".into()]).unwrap(),
        targets: vec![TargetPattern::new(&promotion.target).unwrap()],
        require: Vec::new(),
        removal: Removal::Deny,
        guards: vec![Guard {
            id: "guest".into(),
            enforcement: Enforcement::Deny,
            effective_on: None,
        }],
    };
    let answers = vec![Answered {
        component: Arc::default(),
        params: "{}".into(),
        result,
        usage: lockgate::model::RunUsage::default(),
        log: Vec::new(),
    }];
    let snapshot = Snapshot::default();
    let decision = decide(Inputs {
        promotion,
        gate_file: Digest::of(b""),
        snapshot: Ok((&snapshot, Digest::of(b""))),
        gates: vec![GateInput { gate: &gate, answers }],
        waivers: &[],
        unmatched: Unmatched::Allow,
    });
    decision.verdict
}

/// Checks that after `reason` the verdict is undecided and the next evaluation is unharmed.
pub(crate) fn assert_contained(sandbox: &Sandbox, reason: &Undecided) {
    assert_eq!(verdict(Err(reason.clone())), Verdict::Undecided, "{reason}");
    let next = evaluate(honest(sandbox).as_ref(), &Limits::default());
    assert_eq!(verdict(next.result), Verdict::Allow);
}
