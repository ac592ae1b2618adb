use lockgate::decision::{Effect, Enforcement, Unmatched, Verdict};
use lockgate::model::{Outcome, Undecided};

use crate::scenario::{PolicyCase, Scenario, check, fails, passes, time, traps};

#[test]
fn allows_when_every_policy_passes() {
    assert_eq!(Scenario::denying(passes()).decide().verdict, Verdict::Allow);
}

#[test]
fn denies_on_one_failed_check_among_passed_ones() {
    let answer = Ok(vec![check("a", Outcome::Pass), check("b", Outcome::Fail)]);
    assert_eq!(Scenario::denying(answer).decide().verdict, Verdict::Deny);
}

#[test]
fn a_failure_weighs_more_than_not_being_able_to_judge() {
    let policies = vec![
        PolicyCase::new("a", Enforcement::Deny, traps()),
        PolicyCase::new("b", Enforcement::Deny, fails()),
    ];
    assert_eq!(Scenario::of(policies).decide().verdict, Verdict::Deny);
}

#[test]
fn every_way_of_not_judging_is_undecided() {
    let detail = || "detail".to_owned();
    for reason in [
        Undecided::Unloadable { detail: detail() },
        Undecided::Untrusted { detail: detail() },
        Undecided::Trap { detail: detail() },
        Undecided::FuelExhausted { fuel: 1 },
        Undecided::DeadlineExceeded { milliseconds: 1 },
        Undecided::StackExhausted { bytes: 1 },
        Undecided::OutputOversize { detail: detail() },
        Undecided::OutputInvalid { detail: detail() },
        Undecided::OutputUnreadable { detail: detail() },
        Undecided::NothingChecked,
        Undecided::ParamsRefused { detail: detail() },
        Undecided::EvidenceRefused { detail: detail() },
        Undecided::HostFault { detail: detail() },
    ] {
        let decision = Scenario::denying(Err(reason.clone())).decide();
        assert_eq!(decision.verdict, Verdict::Undecided, "{reason}");
    }
}

#[test]
fn a_policy_that_only_skips_checked_nothing() {
    let decision = Scenario::denying(Ok(vec![check("rule", Outcome::Skip)])).decide();
    assert_eq!(decision.verdict, Verdict::Undecided);
    assert_eq!(decision.gates[0].policies[0].result, Err(Undecided::NothingChecked));
}

#[test]
fn a_policy_without_an_answer_was_not_run() {
    let mut scenario = Scenario::denying(passes());
    scenario.policies.push(PolicyCase::new("b", Enforcement::Deny, Ok(Vec::new())));
    assert_eq!(scenario.decide().verdict, Verdict::Undecided);
}

#[test]
fn warn_and_shadow_say_and_record_without_denying() {
    for (enforcement, effect) in
        [(Enforcement::Warn, Effect::Warn), (Enforcement::Shadow, Effect::Shadow)]
    {
        let decision = Scenario::of(vec![PolicyCase::new("p", enforcement, fails())]).decide();
        assert_eq!(decision.verdict, Verdict::Allow);
        assert_eq!(decision.gates[0].policies[0].result.as_ref().unwrap()[0].effect, effect);
        let decision = Scenario::of(vec![PolicyCase::new("p", enforcement, traps())]).decide();
        assert_eq!(decision.verdict, Verdict::Allow);
        assert!(decision.gates[0].policies[0].result.is_err());
    }
}

#[test]
fn a_policys_own_warning_does_not_deny() {
    let decision = Scenario::denying(Ok(vec![check("rule", Outcome::Warn)])).decide();
    assert_eq!(decision.verdict, Verdict::Allow);
}

#[test]
fn deny_counts_as_warn_until_it_is_effective() {
    for (offset, verdict) in [(1, Verdict::Allow), (0, Verdict::Deny), (-1, Verdict::Deny)] {
        let mut policy = PolicyCase::new("p", Enforcement::Deny, fails());
        policy.effective_on = Some(time(offset));
        assert_eq!(Scenario::of(vec![policy]).decide().verdict, verdict, "{offset}");
    }
}

#[test]
fn only_what_will_deny_is_said_to() {
    for (enforcement, offset, told) in [
        (Enforcement::Deny, 1, Some(time(1))),
        (Enforcement::Deny, 0, None),
        (Enforcement::Warn, 1, None),
        (Enforcement::Shadow, 1, None),
    ] {
        let mut policy = PolicyCase::new("p", enforcement, fails());
        policy.effective_on = Some(time(offset));
        let decision = Scenario::of(vec![policy]).decide();
        assert_eq!(decision.gates[0].policies[0].effective_on, told, "{enforcement:?} {offset}");
    }
}

#[test]
fn where_no_gate_matches_the_file_decides() {
    for (unmatched, verdict) in [
        (Unmatched::Deny, Verdict::Deny),
        (Unmatched::Undecided, Verdict::Undecided),
        (Unmatched::Allow, Verdict::Allow),
    ] {
        let mut scenario = Scenario::denying(passes());
        scenario.gate_matches = false;
        scenario.unmatched = unmatched;
        let decision = scenario.decide();
        assert_eq!(decision.verdict, verdict);
        assert_eq!(decision.unmatched, Some(unmatched));
        assert_eq!(decision.undecided, [Undecided::NoMatchingGate]);
    }
}

#[test]
fn a_gate_without_policies_is_no_way_through() {
    assert_eq!(Scenario::of(Vec::new()).decide().verdict, Verdict::Undecided);
}
