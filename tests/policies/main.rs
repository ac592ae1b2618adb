//! The standard policies as they are in the binary: each case of `policies/NAME/cases/` runs
//! through the real component.
#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests may fail as tests do")]

mod case;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use case::cases;
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

fn judges_its_cases_as_expected(name: &str) {
    let policy = policy(name);
    let schema = &policy.description().params_schema;
    let mut wrong = String::new();
    for case in cases(name) {
        // The gate file would be refused before the policy saw such params.
        if let Some(mismatch) = case.params_mismatch(schema) {
            writeln!(wrong, "{}: its params do not fit: {mismatch}", case.file.display()).unwrap();
        }
        wrong += &case.mismatches(&case.run(policy.as_ref()));
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
        let cases = cases(name);
        let broken: BTreeSet<&str> = cases
            .iter()
            .flat_map(case::Case::rules)
            .filter(|(_, outcome)| *outcome == Outcome::Fail)
            .map(|(rule, _)| rule)
            .collect();
        for rule in &policy(name).description().rules {
            if !broken.contains(rule.code.as_str()) {
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
        let denies = |case: &case::Case| case.rules().iter().any(|rule| rule.1 == Outcome::Fail);
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
            let again = case.run(second.as_ref());
            assert_eq!(case.run(first.as_ref()), again, "{}", case.file.display());
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
            let answer = case.run_with(policy.as_ref(), example);
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
            assert!(is_kebab, "{}", case.file.display());
            assert_eq!(case.file.extension().unwrap(), "yaml");
        }
    }
}
