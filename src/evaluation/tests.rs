use std::sync::atomic::AtomicBool;

use super::*;
use crate::decision::{Enforcement, Guard, Patterns, Removal, TargetPattern, Verdict};
use crate::model::{Check, Description, ModelVersion, Outcome, Rule, Target, Timestamp};

/// A policy that needs so much fuel.
struct Needs {
    fuel: u64,
    description: Description,
    tried: AtomicU32,
    is_busy: AtomicBool,
}

impl Policy for Needs {
    fn description(&self) -> &Description {
        &self.description
    }

    fn digest(&self) -> Digest {
        Digest::of(b"")
    }

    fn evaluate(&self, _facts: &Facts, _params: &str, limits: &Limits) -> Evaluation {
        if limits.fuel() < self.fuel {
            return stopped(Undecided::FuelExhausted { fuel: limits.fuel() });
        }
        let check = Check {
            rule: "rule".into(),
            about: None,
            outcome: Outcome::Pass,
            message: "fine".into(),
            measure: None,
            remedy: None,
        };
        Evaluation { result: Ok(vec![check]), ..stopped(Undecided::NothingChecked) }
    }

    fn evaluate_at_once(&self, facts: &Facts, params: &str, limits: &Limits) -> Option<Evaluation> {
        self.tried.fetch_add(1, Relaxed);
        (!self.is_busy.load(Relaxed)).then(|| self.evaluate(facts, params, limits))
    }
}

struct Only(Arc<Needs>);

impl PolicyLoader for Only {
    fn load(&self, _reference: &PolicyRef) -> Result<Arc<dyn Policy>, Undecided> {
        Ok(Arc::<Needs>::clone(&self.0))
    }
}

/// What comes of asking briefly, under limits of so much fuel, and how often it is asked until
/// then; and what comes of asking for as long as it takes.
struct Scene {
    policy: Arc<Needs>,
    policies: Policies,
    gate: Gate,
    invocations: Vec<Invocation>,
}

impl Scene {
    fn new(needs: u64, granted: u64) -> Self {
        let rule = Rule { code: "rule".into(), title: String::new(), description: String::new() };
        let policy = Arc::new(Needs {
            fuel: needs,
            description: Description {
                name: "needs".into(),
                version: "1.0.0".into(),
                summary: String::new(),
                rules: vec![rule],
                params_schema: "{}".into(),
            },
            tried: AtomicU32::new(0),
            is_busy: AtomicBool::new(false),
        });
        let reference = PolicyRef::Path("needs.wasm".into());
        let loader = Only(Arc::clone(&policy));
        let policies = Policies::load(&loader, Path::new(""), [&reference]);
        let gate = Gate {
            name: "gate".into(),
            models: Patterns::new(vec!["*".into()]).unwrap(),
            targets: vec![TargetPattern::new(&Target::Stage("Production".into())).unwrap()],
            require: Vec::new(),
            removal: Removal::Deny,
            guards: vec![Guard {
                id: "needs".into(),
                enforcement: Enforcement::Deny,
                effective_on: None,
            }],
        };
        let limits = Limits::new(granted, 64, 10_000).unwrap();
        let invocations = vec![Invocation { reference, params: "{}".into(), limits }];
        Self { policy, policies, gate, invocations }
    }

    fn with<T>(&self, judge: impl FnOnce(Case<'_>, &Policies) -> T) -> T {
        let gates = [MatchedGate { gate: &self.gate, invocations: &self.invocations }];
        let case = Case {
            promotion: Promotion {
                subject: ModelVersion {
                    registry: "local".into(),
                    model: "fraud".into(),
                    version: "3".into(),
                    digest: None,
                },
                source: None,
                target: Target::Stage("Production".into()),
                requested_by: None,
                at: Timestamp::from_seconds(1_800_000_000).unwrap(),
            },
            gate_file: Digest::of(b""),
            snapshot: Ok((Arc::new(Snapshot::default()), Digest::of(b"snapshot"))),
            gates: &gates,
            waivers: &[],
            unmatched: Unmatched::Deny,
            until: None,
        };
        judge(case, &self.policies)
    }

    fn briefly(&self) -> Option<Verdict> {
        self.with(|case, policies| evaluate_briefly(case, policies).ok())
            .map(|decision| decision.verdict)
    }

    fn tried(&self) -> u32 {
        self.policy.tried.load(Relaxed)
    }
}

#[test]
fn what_takes_a_moment_is_decided_at_once() {
    let scene = Scene::new(1_000, Limits::DEFAULT_FUEL);
    assert_eq!(scene.briefly(), Some(Verdict::Allow));
    assert_eq!(scene.with(evaluate).verdict, Verdict::Allow);
}

#[test]
fn what_takes_longer_is_no_answer_and_is_not_tried_again_for_a_while() {
    let scene = Scene::new(MOMENT_FUEL + 1, Limits::DEFAULT_FUEL);
    assert_eq!((scene.briefly(), scene.tried()), (None, 1));
    // Its limit is the gate file's, and not the moment.
    assert_eq!(scene.with(evaluate).verdict, Verdict::Allow);
    for _ in 0..PAUSE {
        assert_eq!((scene.briefly(), scene.tried()), (None, 1));
    }
    assert_eq!((scene.briefly(), scene.tried()), (None, 2));
}

#[test]
fn a_limit_below_a_moment_decides_at_once() {
    let scene = Scene::new(1_000, 999);
    assert_eq!(scene.briefly(), Some(Verdict::Undecided));
    assert_eq!(scene.with(evaluate).verdict, Verdict::Undecided);
}

#[test]
fn what_would_have_to_wait_is_no_answer() {
    let scene = Scene::new(1_000, Limits::DEFAULT_FUEL);
    scene.policy.is_busy.store(true, Relaxed);
    assert_eq!(scene.briefly(), None);
    scene.policy.is_busy.store(false, Relaxed);
    // It was not its own fault.
    assert_eq!(scene.briefly(), Some(Verdict::Allow));
}

#[test]
fn work_on_several_threads_is_answered_in_order() {
    let items: Vec<u32> = (0..20).collect();
    let doubled: Vec<_> = items.iter().map(|item| Some(item * 2)).collect();
    for threads in [0, 1, 2, 3, 40] {
        let answers = across(|| threads, Duration::ZERO, &items, |item| item * 2);
        assert_eq!(answers, doubled, "{threads} threads");
    }
    assert_eq!(across(|| 2, Duration::ZERO, &[0_u32; 0], |item| *item), []);
}

#[test]
fn a_panic_on_another_thread_is_no_answer_to_what_it_was_at() {
    let here = std::thread::current().id();
    // Both threads meet there, so each has one of two items; the first is done alone.
    let both = std::sync::Barrier::new(2);
    let answers = across(
        || 2,
        Duration::ZERO,
        &[false, true, true],
        |meet| {
            if *meet {
                both.wait();
                assert!(std::thread::current().id() == here, "a mistake in the host");
            }
        },
    );
    assert_eq!(answers.iter().flatten().count(), 2);
    assert_eq!(answers.first(), Some(&Some(())));
}

#[test]
fn a_decision_on_several_threads_is_the_same() {
    for granted in [500, 1_000] {
        let mut scene = Scene::new(1_000, granted);
        scene.gate.guards = vec![scene.gate.guards[0].clone(); 5];
        scene.invocations = vec![scene.invocations[0].clone(); 5];
        let alone = scene.with(evaluate);
        let across = scene.with(evaluate_across);
        assert_eq!(across.verdict, alone.verdict);
        assert_eq!(across.gates[0].policies.len(), 5);
    }
}
