"""A policy in Python, to measure what its interpreter costs."""

from lockgate_sdk import Check, Rules, check, metrics, param, params, policy, rule


@params
class Limit:
    name: str = param("Name of the metric.")
    min: float = param("The least value that passes.")


@params
class Params:
    metrics: list[Limit] = param("The metrics.", min_length=1)


class Rule(Rules):
    LEAST_VALUE = rule(
        "At least a value",
        "Every value of the metric is at least `min`. Fails when there is none.",
    )


@policy(name="least-value", version="0.1.0", rules=Rule)
def least_value(params: Params) -> list[Check]:
    """Holds metrics at or above least values."""
    return [made for limit in params.metrics for made in judge(limit)]


def judge(limit: Limit) -> list[Check]:
    values = metrics.candidate(limit.name)
    if not values:
        return [check.fail(Rule.LEAST_VALUE, f"`{limit.name}` was not measured").about(limit.name)]
    return [
        check.at_least(Rule.LEAST_VALUE, it.label(), it.value, limit.min).about(it.label())
        for it in values
    ]
