import pytest
from lockgate_sdk import Outcome, Refusal
from lockgate_sdk.testing import evidence

from policy import Params, slice_floor


def judged(facts):
    made = slice_floor.evaluate(Params(metric="recall", min=0.8), facts.build())
    return [it.outcome for it in made]


def test_each_slice_is_judged_by_itself():
    facts = (
        evidence()
        .metric("recall", 0.8, slice="region=eu")
        .metric("recall", 0.79, slice="region=us")
    )
    assert judged(facts) == [Outcome.PASS, Outcome.FAIL]


def test_part_of_a_slice_is_not_enough():
    assert judged(evidence().metric("recall", 0.9, slice="region=eu", partial=True)) == [Outcome.FAIL]


def test_what_nobody_measured_fails():
    assert judged(evidence()) == [Outcome.FAIL]
    assert judged(evidence().metric("recall", 0.9)) == [Outcome.FAIL]


def test_a_mistyped_limit_is_refused():
    with pytest.raises(Refusal, match="unknown key `mni`"):
        slice_floor.evaluate({"metric": "recall", "min": 0.8, "mni": 0.8}, evidence().build())
