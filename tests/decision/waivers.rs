use lockgate::decision::{Decision, Effect, Patterns, Verdict, Waiver, WaiverState};
use lockgate::model::Check;

use crate::scenario::{Scenario, fails, passes, time, traps, waiver};

fn with(waiver: Waiver) -> Decision {
    let mut scenario = Scenario::denying(fails());
    scenario.waivers = vec![waiver];
    scenario.decide()
}

#[test]
fn a_waived_failure_allows_and_stays_visible() {
    let decision = with(waiver("policy", "rule"));
    assert_eq!(decision.verdict, Verdict::Allow);
    let judged = &decision.gates[0].policies[0].result.as_ref().unwrap()[0];
    assert_eq!(judged.effect, Effect::Waived(0));
    assert_eq!(decision.waivers[0].state, WaiverState::Used);
    assert_eq!(decision.waivers[0].grant.ticket, "RISK-113");
}

#[test]
fn a_waiver_of_another_policy_rule_or_thing_is_useless() {
    let about = Waiver { about: Some("region=eu".into()), ..waiver("policy", "rule") };
    for waiver in [waiver("other", "rule"), waiver("policy", "other"), about] {
        let decision = with(waiver);
        assert_eq!(decision.verdict, Verdict::Deny);
        assert_eq!(decision.waivers[0].state, WaiverState::Useless);
    }
}

#[test]
fn a_waiver_of_another_model_or_version_does_not_concern_the_promotion() {
    let patterns = || Patterns::new(vec!["other-*".into()]).unwrap();
    let models = Waiver { models: patterns(), ..waiver("policy", "rule") };
    let versions = Waiver { versions: patterns(), ..waiver("policy", "rule") };
    for waiver in [models, versions] {
        let decision = with(waiver);
        assert_eq!(decision.verdict, Verdict::Deny);
        assert!(decision.waivers.is_empty());
    }
}

#[test]
fn a_waiver_about_one_thing_leaves_the_others() {
    let about = |about: &str| Check { about: Some(about.into()), ..fails().unwrap().remove(0) };
    let mut scenario = Scenario::denying(Ok(vec![about("region=eu"), about("region=us")]));
    scenario.waivers = vec![Waiver { about: Some("region=eu".into()), ..waiver("policy", "rule") }];
    let decision = scenario.decide();
    assert_eq!(decision.verdict, Verdict::Deny);
    let effects: Vec<_> = decision.gates[0].policies[0]
        .result
        .as_ref()
        .unwrap()
        .iter()
        .map(|judged| judged.effect)
        .collect();
    assert_eq!(effects, [Effect::Waived(0), Effect::Deny]);
}

#[test]
fn a_waiver_ends_with_its_expiry() {
    for (offset, verdict, state) in [
        (1, Verdict::Allow, WaiverState::Used),
        (0, Verdict::Deny, WaiverState::ExpiredNeeded),
        (-1, Verdict::Deny, WaiverState::ExpiredNeeded),
    ] {
        let mut expiring = waiver("policy", "rule");
        expiring.grant.expires = time(offset);
        let decision = with(expiring);
        assert_eq!((decision.verdict, decision.waivers[0].state), (verdict, state));
    }
}

#[test]
fn a_renewed_waiver_leaves_the_one_before_unneeded() {
    let mut expired = waiver("policy", "rule");
    expired.grant.expires = time(-1);
    for order in [[0, 1], [1, 0]] {
        let waivers = [expired.clone(), waiver("policy", "rule")];
        let mut scenario = Scenario::denying(fails());
        scenario.waivers = order.map(|index: usize| waivers[index].clone()).to_vec();
        let decision = scenario.decide();
        assert_eq!(decision.verdict, Verdict::Allow);
        let states = order.map(|index| decision.waivers[index].state);
        assert_eq!(states, [WaiverState::Expired, WaiverState::Used]);
    }
}

#[test]
fn an_expired_waiver_is_reported_even_when_nothing_needs_it() {
    let mut scenario = Scenario::denying(passes());
    let mut expired = waiver("policy", "rule");
    expired.grant.expires = time(-1);
    scenario.waivers = vec![expired];
    assert_eq!(scenario.decide().waivers[0].state, WaiverState::Expired);
}

#[test]
fn a_trap_cannot_be_waived() {
    let mut scenario = Scenario::denying(traps());
    scenario.waivers = vec![waiver("policy", "rule")];
    assert_eq!(scenario.decide().verdict, Verdict::Undecided);
}
