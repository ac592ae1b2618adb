use lockgate::decision::{Enforcement, Unmatched, Verdict, Waiver};
use lockgate::model::{Kind, Outcome, Snapshot, Timestamp, Undecided};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::scenario::{Answer, PolicyCase, Scenario, check, require, source, time, waiver};

const RULES: [&str; 3] = ["a", "b", "c"];
const IDS: [&str; 3] = ["p", "q", "r"];

fn outcome() -> impl Strategy<Value = Outcome> {
    select(vec![Outcome::Pass, Outcome::Fail, Outcome::Warn, Outcome::Skip])
}

fn unjudged() -> impl Strategy<Value = Undecided> {
    select(vec![
        Undecided::Trap { detail: "trap".into() },
        Undecided::FuelExhausted { fuel: 1 },
        Undecided::NothingChecked,
        Undecided::Unloadable { detail: "gone".into() },
        // Not a policy's to say, and yet no way to an allow.
        Undecided::NoMatchingGate,
    ])
}

fn answer() -> impl Strategy<Value = Answer> {
    let checks = prop::collection::vec((select(&RULES[..]), outcome()), 0..4).prop_map(|checks| {
        Ok(checks.into_iter().map(|(rule, outcome)| check(rule, outcome)).collect())
    });
    prop_oneof![3 => checks, 1 => unjudged().prop_map(Err)]
}

fn enforcement() -> impl Strategy<Value = Enforcement> {
    select(vec![Enforcement::Deny, Enforcement::Deny, Enforcement::Warn, Enforcement::Shadow])
}

fn moment() -> impl Strategy<Value = Timestamp> {
    (-2_i64..=2).prop_map(time)
}

prop_compose! {
    fn policy()(
        id in select(&IDS[..]),
        enforcement in enforcement(),
        effective_on in prop::option::of(moment()),
        answer in answer(),
    ) -> PolicyCase {
        PolicyCase { id: id.to_owned(), enforcement, effective_on, answer }
    }
}

prop_compose! {
    fn exception()(id in select(&IDS[..]), rule in select(&RULES[..]), expires in moment()) -> Waiver {
        let mut waiver = waiver(id, rule);
        waiver.grant.expires = expires;
        waiver
    }
}

prop_compose! {
    fn scenario()(
        policies in prop::collection::vec(policy(), 0..5),
        waivers in prop::collection::vec(exception(), 0..4),
        ages in prop::collection::vec(prop::option::of(-400_i64..400), 0..3),
        max_age in prop::option::of(prop::option::of(0_u64..400)),
        unmatched in select(vec![Unmatched::Deny, Unmatched::Undecided, Unmatched::Allow]),
        gate_matches in prop::bool::weighted(0.9),
    ) -> Scenario {
        let sources =
            ages.iter().map(|age| source("metrics.json", Kind::Metrics, *age)).collect();
        let mut scenario = Scenario::of(policies);
        scenario.snapshot = Ok(Snapshot { sources, ..Snapshot::default() });
        scenario.require = max_age.map(|age| require(Kind::Metrics, age)).into_iter().collect();
        scenario.waivers = waivers;
        scenario.unmatched = unmatched;
        scenario.gate_matches = gate_matches;
        scenario
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_more_failed_check_never_leads_to_allow(
        mut scenario in scenario(), at in any::<Index>(),
    ) {
        let before = scenario.decide().verdict;
        let checked: Vec<usize> = (0..scenario.policies.len())
            .filter(|index| scenario.policies[*index].answer.as_ref().is_ok_and(|checks| !checks.is_empty()))
            .collect();
        if checked.is_empty() {
            return Ok(());
        }
        let policy = &mut scenario.policies[checked[at.index(checked.len())]];
        // A policy that had only skipped has now at least checked something: where its failure
        // does not deny, that is no worse than before, but it is no allow that was not there.
        policy.answer.as_mut().unwrap().push(check("new", Outcome::Fail));
        let after = scenario.decide().verdict;
        prop_assert!(before == Verdict::Allow || after != Verdict::Allow, "{before} then {after}");
    }

    #[test]
    fn one_more_failed_or_undecided_policy_never_leads_to_allow(
        mut scenario in scenario(), enforcement in enforcement(), at in any::<Index>(),
        reason in prop::option::of(unjudged()),
    ) {
        let before = scenario.decide().verdict;
        let answer = reason.map_or_else(|| Ok(vec![check("new", Outcome::Fail)]), Err);
        // A gate without policies does not load; see what it decides elsewhere.
        if scenario.policies.is_empty() {
            return Ok(());
        }
        let position = at.index(scenario.policies.len());
        scenario.policies.insert(position, PolicyCase::new("new", enforcement, answer));
        let after = scenario.decide().verdict;
        prop_assert!(before == Verdict::Allow || after != Verdict::Allow, "{before} then {after}");
    }

    #[test]
    fn one_waiver_less_never_leads_to_allow(mut scenario in scenario(), at in any::<Index>()) {
        if scenario.waivers.is_empty() {
            return Ok(());
        }
        let before = scenario.decide().verdict;
        scenario.waivers.remove(at.index(scenario.waivers.len()));
        let after = scenario.decide().verdict;
        prop_assert!(after >= before, "{before} then {after}");
    }

    #[test]
    fn the_order_of_policies_and_waivers_changes_nothing(scenario in scenario()) {
        let mut other = scenario.clone();
        other.policies.reverse();
        other.waivers.reverse();
        prop_assert_eq!(scenario.decide().verdict, other.decide().verdict);
    }

    #[test]
    fn an_allow_has_no_denying_policy_that_failed_or_could_not_judge(scenario in scenario()) {
        let decision = scenario.decide();
        if decision.verdict == Verdict::Allow {
            let policies = decision.gates.iter().flat_map(|gate| &gate.policies);
            for policy in policies.filter(|policy| policy.enforcement == Enforcement::Deny) {
                let checks = policy.result.as_ref().unwrap();
                let unwaived = |judged: &&lockgate::decision::JudgedCheck| {
                    judged.check.outcome == Outcome::Fail
                        && !matches!(judged.effect, lockgate::decision::Effect::Waived(_))
                };
                prop_assert!(checks.iter().find(unwaived).is_none());
            }
        }
    }
}
