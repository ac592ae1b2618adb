//! One test for each file of `tests/guests/wat`, under the file's name.

use std::sync::Arc;

use lockgate::decision::Verdict;
use lockgate::model::{
    Budget, Category, Exploitability, Finding, Metric, Severity, Snapshot, Undecided,
};
use lockgate::policy::{Evaluation, Facts, Limits, PolicyLoader as _, PolicyRef};
use lockgate_guests as guests;

use crate::support::{assert_contained, evaluate, load, promotion, sandbox, sandboxes, verdict};

// A guest without a test of its name does not compile.
macro_rules! has_a_test {
    ($name:ident) => {
        #[expect(unused_imports, reason = "names the test, which is all it is for")]
        use self::$name as _;
    };
}
lockgate_guests::for_each_guest!(has_a_test);

/// Runs a guest that loads, and checks that its failure is contained and in every sandbox the same.
fn run_under(core: &str, limits: &Limits) -> Evaluation {
    let [one, other] = sandboxes().map(|sandbox| {
        let policy = load(&sandbox, &guests::component(core)).unwrap();
        let evaluation = evaluate(policy.as_ref(), limits);
        if let Err(reason) = &evaluation.result {
            assert_contained(&sandbox, reason);
        }
        evaluation
    });
    assert_eq!(one.result, other.result);
    // A deadline is met where it is met.
    if !matches!(one.result, Err(Undecided::DeadlineExceeded { .. })) {
        let used = |evaluation: &Evaluation| (evaluation.usage.fuel, evaluation.usage.peak_memory);
        assert_eq!(used(&one), used(&other));
    }
    one
}

fn reason(core: &str) -> Undecided {
    run_under(core, &Limits::default()).result.unwrap_err()
}

/// The reason why a guest does not load.
fn refused(core: &str) -> Undecided {
    let [one, other] = sandboxes().map(|sandbox| {
        let reason = load(&sandbox, &guests::component(core)).map(|_| ()).unwrap_err();
        assert_contained(&sandbox, &reason);
        reason
    });
    assert_eq!(one, other);
    one
}

/// Fuel for a thousandth of the default, so that a loop ends soon.
fn little_fuel() -> Limits {
    Limits::new(500_000, Limits::DEFAULT_MEMORY_MIB, Limits::DEFAULT_DEADLINE_MS).unwrap()
}

#[test]
fn honest() {
    let evaluation = run_under(guests::HONEST, &Limits::default());
    assert_eq!(verdict(evaluation.result), Verdict::Allow);
    assert!(evaluation.usage.fuel > 0);
    assert_eq!(evaluation.usage.peak_memory, 2 * 65_536);
}

#[test]
fn standard_policies_answer_alike_in_every_sandbox() {
    for name in lockgate::wasm::standard_names() {
        let reference = PolicyRef::Standard(name.to_owned());
        for limits in [Limits::default(), Limits::new(1_000, 64, 10_000).unwrap()] {
            let [one, other] = sandboxes().map(|sandbox| {
                let policy = sandbox.load(&reference).unwrap();
                let evaluation = evaluate(policy.as_ref(), &limits);
                (evaluation.result, evaluation.usage.fuel, evaluation.usage.peak_memory)
            });
            assert_eq!(one, other, "{name}");
        }
    }
}

#[test]
fn loops_forever() {
    let reason = run_under(guests::LOOPS_FOREVER, &little_fuel()).result.unwrap_err();
    assert_eq!(reason, Undecided::FuelExhausted { fuel: 500_000 });
}

#[test]
fn a_loop_with_fuel_to_spare_meets_its_deadline() {
    let limits = Limits::new(Limits::MOST_FUEL, Limits::DEFAULT_MEMORY_MIB, 50).unwrap();
    let reason = run_under(guests::LOOPS_FOREVER, &limits).result.unwrap_err();
    assert_eq!(reason, Undecided::DeadlineExceeded { milliseconds: 50 });
}

#[test]
fn fuel_used_is_the_same_in_every_run() {
    let first = run_under(guests::HONEST, &Limits::default()).usage.fuel;
    let second = run_under(guests::HONEST, &Limits::default()).usage.fuel;
    assert_eq!(first, second);
}

#[test]
fn loops_in_describe() {
    assert!(matches!(refused(guests::LOOPS_IN_DESCRIBE), Undecided::FuelExhausted { .. }));
}

#[test]
fn loops_at_start() {
    assert!(matches!(refused(guests::LOOPS_AT_START), Undecided::FuelExhausted { .. }));
}

#[test]
fn loops_after_its_answer() {
    let reason = run_under(guests::LOOPS_AFTER_ITS_ANSWER, &little_fuel()).result.unwrap_err();
    assert!(matches!(reason, Undecided::FuelExhausted { .. }), "{reason}");
}

#[test]
fn allocates_without_end() {
    let reason = reason(guests::ALLOCATES_WITHOUT_END);
    assert_eq!(reason, Undecided::MemoryExhausted { budget: Budget::Memory, limit: 64 << 20 });
}

#[test]
fn starts_with_too_much_memory() {
    let reason = refused(guests::STARTS_WITH_TOO_MUCH_MEMORY);
    assert_eq!(reason, Undecided::MemoryExhausted { budget: Budget::Memory, limit: 64 << 20 });
}

#[test]
fn grows_tables() {
    let reason = reason(guests::GROWS_TABLES);
    assert!(
        matches!(reason, Undecided::MemoryExhausted { budget: Budget::TableElements, .. }),
        "{reason}"
    );
}

#[test]
fn overflows_the_stack() {
    let reason = reason(guests::OVERFLOWS_THE_STACK);
    assert!(matches!(reason, Undecided::StackExhausted { .. }), "{reason}");
}

#[test]
fn traps() {
    let reason = reason(guests::TRAPS);
    assert!(matches!(reason, Undecided::Trap { .. }), "{reason}");
}

#[test]
fn traps_in_describe() {
    let reason = refused(guests::TRAPS_IN_DESCRIBE);
    assert!(matches!(reason, Undecided::Trap { .. }), "{reason}");
}

#[test]
fn pulls_in_describe() {
    let reason = refused(guests::PULLS_IN_DESCRIBE);
    assert!(matches!(&reason, Undecided::Unloadable { detail } if detail.contains("candidate")));
}

#[test]
fn describes_nonsense() {
    let reason = refused(guests::DESCRIBES_NONSENSE);
    assert!(matches!(&reason, Undecided::Unloadable { detail } if detail.contains("name")));
}

#[test]
fn returns_a_million_checks() {
    // The default memory does not even hold them.
    let poor = reason(guests::RETURNS_A_MILLION_CHECKS);
    assert!(matches!(poor, Undecided::MemoryExhausted { .. }), "{poor}");
    let limits = Limits::new(Limits::DEFAULT_FUEL, 256, Limits::DEFAULT_DEADLINE_MS).unwrap();
    let rich = run_under(guests::RETURNS_A_MILLION_CHECKS, &limits).result.unwrap_err();
    assert!(matches!(rich, Undecided::OutputOversize { .. }), "{rich}");
}

#[test]
fn returns_a_gibibyte_of_text() {
    let reason = reason(guests::RETURNS_A_GIBIBYTE_OF_TEXT);
    assert!(matches!(reason, Undecided::OutputUnreadable { .. }), "{reason}");
}

#[test]
fn returns_one_text_many_times() {
    let reason = reason(guests::RETURNS_ONE_TEXT_MANY_TIMES);
    assert!(matches!(reason, Undecided::OutputUnreadable { .. }), "{reason}");
}

#[test]
fn returns_too_long_a_message() {
    let reason = reason(guests::RETURNS_TOO_LONG_A_MESSAGE);
    assert!(matches!(reason, Undecided::OutputOversize { .. }), "{reason}");
}

#[test]
fn returns_no_check() {
    assert_eq!(reason(guests::RETURNS_NO_CHECK), Undecided::NothingChecked);
}

#[test]
fn returns_only_skips() {
    let evaluation = run_under(guests::RETURNS_ONLY_SKIPS, &Limits::default());
    assert_eq!(verdict(evaluation.result), Verdict::Undecided);
}

#[test]
fn returns_a_nan() {
    let reason = reason(guests::RETURNS_A_NAN);
    assert!(matches!(reason, Undecided::OutputInvalid { .. }), "{reason}");
}

#[test]
fn returns_an_unknown_rule() {
    let reason = reason(guests::RETURNS_AN_UNKNOWN_RULE);
    assert!(matches!(&reason, Undecided::OutputInvalid { detail } if detail.contains("`a`")));
}

#[test]
fn returns_broken_text() {
    let reason = reason(guests::RETURNS_BROKEN_TEXT);
    assert!(matches!(reason, Undecided::OutputUnreadable { .. }), "{reason}");
}

#[test]
fn returns_an_outcome_that_is_none() {
    let reason = reason(guests::RETURNS_AN_OUTCOME_THAT_IS_NONE);
    assert!(matches!(reason, Undecided::OutputUnreadable { .. }), "{reason}");
}

#[test]
fn refuses_its_params() {
    let reason = reason(guests::REFUSES_ITS_PARAMS);
    assert_eq!(reason, Undecided::ParamsRefused { detail: "a-rule".into() });
}

#[test]
fn refuses_the_evidence() {
    let reason = reason(guests::REFUSES_THE_EVIDENCE);
    assert_eq!(reason, Undecided::EvidenceRefused { detail: "a-rule".into() });
}

#[test]
fn logs_without_end() {
    let evaluation = run_under(guests::LOGS_WITHOUT_END, &Limits::default());
    let reason = evaluation.result.unwrap_err();
    assert!(matches!(reason, Undecided::OutputOversize { .. }), "{reason}");
    assert_eq!(evaluation.log.len(), 1_000);
}

#[test]
fn logs_too_much_at_once() {
    let reason = reason(guests::LOGS_TOO_MUCH_AT_ONCE);
    assert!(matches!(reason, Undecided::OutputOversize { .. }), "{reason}");
}

#[test]
fn pulls_without_end() {
    // Hardly any of it is the guest's own work: the pulls are priced.
    let reason = run_under(guests::PULLS_WITHOUT_END, &little_fuel()).result.unwrap_err();
    assert!(matches!(reason, Undecided::FuelExhausted { .. }), "{reason}");
}

/// The fuel that a guest uses on this evidence.
fn fuel_on(core: &str, snapshot: Snapshot) -> u64 {
    let sandbox = sandbox();
    let policy = load(&sandbox, &guests::component(core)).unwrap();
    let facts = Facts::new(promotion(), Arc::new(snapshot));
    let evaluation = policy.evaluate(&facts, "{}", &Limits::default());
    assert_eq!(verdict(evaluation.result), Verdict::Allow);
    evaluation.usage.fuel
}

#[test]
fn asks_with_a_long_text() {
    let asked = fuel_on(guests::ASKS_WITH_A_LONG_TEXT, Snapshot::default());
    assert!(asked > 32 << 10, "{asked}");
    let tags = [("\0".repeat(32 << 10), "v".repeat(10_000))].into();
    let answered = fuel_on(guests::ASKS_WITH_A_LONG_TEXT, Snapshot { tags, ..Snapshot::default() });
    assert!((10_000..10_100).contains(&(answered - asked)), "{asked} {answered}");
}

#[test]
fn looks_for_what_is_not_there() {
    let none = fuel_on(guests::LOOKS_FOR_WHAT_IS_NOT_THERE, Snapshot::default());
    let metric = |index: u32| Metric {
        name: format!("m{index:04}"),
        value: 0.5,
        dataset: None,
        slice: None,
        sample_size: None,
        standard_error: None,
        higher_is_better: None,
        partial: false,
        recorded_at: None,
        source: "x.json".into(),
    };
    let metrics = Snapshot { candidate: (0..1_000).map(metric).collect(), ..Snapshot::default() };
    // Found by halves.
    assert_eq!(fuel_on(guests::LOOKS_FOR_WHAT_IS_NOT_THERE, metrics), none);
    let finding = Finding {
        scanner: "s".into(),
        id: "CVE-1".into(),
        category: Category::Vulnerability,
        severity: Severity::High,
        title: "t".into(),
        component: None,
        installed: None,
        fixed_in: None,
        location: None,
        exploitability: Exploitability::Unstated,
        source: "x.json".into(),
    };
    let findings = Snapshot { findings: vec![finding; 1_000], ..Snapshot::default() };
    // Looked at one by one.
    assert!(fuel_on(guests::LOOKS_FOR_WHAT_IS_NOT_THERE, findings) >= none + 1_000);
}

#[test]
fn allocates_out_of_bounds() {
    let reason = reason(guests::ALLOCATES_OUT_OF_BOUNDS);
    assert!(matches!(reason, Undecided::OutputUnreadable { .. }), "{reason}");
}

#[test]
fn params_past_their_limit_are_refused_before_the_guest_runs() {
    let sandbox = sandbox();
    let policy = load(&sandbox, &guests::component(guests::HONEST)).unwrap();
    let params = format!("{{\"x\": \"{}\"}}", "x".repeat(300 << 10));
    let evaluation = policy.evaluate(&crate::support::facts(), &params, &Limits::default());
    assert!(matches!(evaluation.result, Err(Undecided::ParamsRefused { .. })));
}

/// Resident memory of this process, bytes.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[cfg(target_os = "linux")]
#[test]
fn memory_returns_to_where_it_was() {
    let sandbox = sandbox();
    let guests: Vec<_> = [
        guests::ALLOCATES_WITHOUT_END,
        guests::GROWS_TABLES,
        guests::LOGS_TOO_MUCH_AT_ONCE,
        guests::RETURNS_ONE_TEXT_MANY_TIMES,
    ]
    .map(|core| load(&sandbox, &guests::component(core)).unwrap())
    .into();
    let run_all = || {
        for guest in &guests {
            assert!(evaluate(guest.as_ref(), &Limits::default()).result.is_err());
        }
    };
    run_all();
    let before = resident();
    for _ in 0..20 {
        run_all();
    }
    let after = resident();
    // Twenty rounds that each took 64 MiB and more leave less behind than one of them.
    assert!(after < before + (32 << 20), "{before} bytes before, {after} after");
}
