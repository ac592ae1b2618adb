"""What a component exports, for the entry that the build writes. Not for use by hand."""

from types import ModuleType

import wit_world
from componentize_py_types import Err
from wit_world.imports import checks

from ._check import CheckResult
from ._policy import Policy, policy_of
from .refuse import Refusal


def exported(module: ModuleType) -> type:
    policy = policy_of(module)
    described = _description(policy)

    class WitWorld(wit_world.WitWorld):
        def describe(self) -> checks.Description:
            return described

        def evaluate(self, params: str) -> list[checks.Check]:
            try:
                return [_check(made) for made in policy.evaluate_text(params)]
            except Refusal as refusal:
                kinds = {"params": checks.Refusal_Params, "evidence": checks.Refusal_Evidence}
                raise Err(kinds[refusal.kind](refusal.message)) from None
            # An error of the policy's own code would be a trap, which says nothing. As a refusal
            # it leaves the decision just as undecided, and tells its author what happened.
            except Exception as error:
                text = f"the policy failed: {type(error).__name__}: {error}"
                raise Err(checks.Refusal_Evidence(text)) from None

    return WitWorld


def _description(policy: Policy) -> checks.Description:
    it = policy.describe()
    rules = [checks.Rule(code, text.title, text.description) for code, text in it.rules]
    return checks.Description(it.name, it.version, it.summary, rules, it.params_schema)


def _check(made: CheckResult) -> checks.Check:
    measure = made.measure and checks.Measure(
        made.measure.name,
        made.measure.actual,
        made.measure.limit,
        checks.Comparison[made.measure.comparison.name],
        made.measure.unit,
    )
    outcome = checks.Outcome[made.outcome.name]
    return checks.Check(made.rule, made.about, outcome, made.message, measure, made.remedy)
