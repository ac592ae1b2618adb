//! The standard policies as they are in the binary: each case of `policies/NAME/cases/` runs
//! through the real component.
#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests may fail as tests do")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use lockgate::cases::{Case, Coverage, Folder, Status, Suite, run};
use lockgate::model::{Outcome, Undecided};
use lockgate::policy::{Policy, PolicyLoader, PolicyRef};
use lockgate::wasm::{Cache, Sandbox, standard_names};

/// One test for each policy; [`every_policy_is_tested`] holds the list against the binary's.
macro_rules! policies {
    ($($test:ident $name:literal)*) => {
        const TESTED: &[&str] = &[$($name),*];

        $(#[test]
        fn $test() {
            judges_its_cases_as_expected($name);
        })*
    };
}

policies! {
    approvals_judges_its_cases_as_expected "approvals"
    baseline_regression_judges_its_cases_as_expected "baseline-regression"
    gpu_cost_budget_judges_its_cases_as_expected "gpu-cost-budget"
    metric_threshold_judges_its_cases_as_expected "metric-threshold"
    model_metadata_judges_its_cases_as_expected "model-metadata"
    model_scan_judges_its_cases_as_expected "model-scan"
    slice_gap_judges_its_cases_as_expected "slice-gap"
    vulnerability_threshold_judges_its_cases_as_expected "vulnerability-threshold"
}

/// With compiled policies shared between tests.
fn sandbox() -> Sandbox {
    let cache = Cache::open(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")).unwrap();
    Sandbox::new(Some(cache), |_| ()).unwrap()
}

fn policy(name: &str) -> Arc<dyn Policy> {
    sandbox().load(&PolicyRef::Standard(name.into())).unwrap()
}

fn folder(name: &str) -> Folder {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").join(name).join("cases");
    Folder::open(&folder).unwrap()
}

/// The cases of one policy, ordered by name.
fn cases(name: &str) -> Vec<Case> {
    let folder = folder(name);
    let read = |file| folder.read(file).unwrap_or_else(|diagnostics| panic!("\n{diagnostics}"));
    folder.files().iter().map(read).collect()
}

fn judges_its_cases_as_expected(name: &str) {
    let policy = policy(name);
    let suite = Suite::new(policy.as_ref()).unwrap();
    let mut wrong = String::new();
    for result in run(&suite, &folder(name), &|_| true).unwrap() {
        match &result.status {
            Status::Passed => {}
            Status::Failed(difference) => {
                writeln!(wrong, "{}: {:#?}", result.file, difference.lines).unwrap();
            }
            Status::Unreadable(diagnostics) => writeln!(wrong, "{diagnostics}").unwrap(),
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_policy_is_tested() {
    assert_eq!(standard_names().collect::<Vec<_>>(), TESTED);
}

/// A rule that no case breaks could be missing from the component, and nobody would notice.
#[test]
fn every_rule_is_broken_by_a_case() {
    let mut missing = Vec::new();
    for name in TESTED {
        let policy = policy(name);
        let suite = Suite::new(policy.as_ref()).unwrap();
        let results = run(&suite, &folder(name), &|_| true).unwrap();
        for rule in Coverage::of(policy.description(), &results).rules {
            if rule.broken.is_empty() {
                missing.push(format!("no case of {name} in which `{}` is broken", rule.code));
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

#[test]
fn every_policy_is_shown_allowing_and_denying() {
    for name in TESTED {
        let cases = cases(name);
        let denies = |case: &Case| case.expected_rules().any(|rule| rule.1 == Outcome::Fail);
        assert!(cases.iter().any(denies), "no case of {name} denies");
        assert!(
            cases.iter().any(|case| !case.refuses() && !denies(case)),
            "no case of {name} allows"
        );
    }
}

#[test]
fn a_policy_gives_the_same_checks_again() {
    for name in TESTED {
        let (first, second) = (policy(name), policy(name));
        for case in cases(name) {
            let again = case.evaluate(second.as_ref()).result;
            assert_eq!(case.evaluate(first.as_ref()).result, again, "{}", case.file());
        }
    }
}

#[test]
fn refuses_params_it_does_not_know() {
    for name in TESTED {
        let schema = policy(name).description().params_schema.clone();
        let params = serde_json::json!({"no-such-param": 1});
        let error = lockgate::config::check_params(&schema, &params).unwrap_err().to_string();
        assert!(error.contains("no-such-param"), "{name}: {error}");
    }
}

/// The example of the documentation is one that works.
#[test]
fn accepts_the_params_of_its_example() {
    for name in TESTED {
        let policy = policy(name);
        let schema: serde_json::Value =
            serde_json::from_str(&policy.description().params_schema).unwrap();
        let example = &schema["examples"][0];
        assert!(example.is_object(), "{name} has no example");
        let fits = lockgate::config::check_params(&schema.to_string(), example);
        assert_eq!(fits, Ok(()), "{name}");
        for case in cases(name) {
            let answer = case.evaluate_with(policy.as_ref(), example).result;
            let refused = matches!(answer, Err(Undecided::ParamsRefused { .. }));
            assert!(!refused, "{name}: {answer:?}");
        }
    }
}

/// What a policy imports is all that it can see, so a line more here is a right given away.
#[test]
fn each_policy_sees_only_what_it_needs() {
    let sandbox = sandbox();
    let mut seen = String::new();
    for name in TESTED {
        let inspection = sandbox.inspect(&PolicyRef::Standard((*name).into())).unwrap();
        writeln!(seen, "{name}").unwrap();
        for interface in inspection.sees {
            writeln!(seen, "  {}: {}", interface.name, interface.functions.join(", ")).unwrap();
        }
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn cases_are_named_in_kebab_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    for name in TESTED {
        assert!(folder.join(name).is_dir());
        for case in cases(name) {
            let stem = case.name();
            let is_kebab = stem.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            assert!(is_kebab && case.file().ends_with(".yaml"), "{}", case.file());
        }
    }
}
