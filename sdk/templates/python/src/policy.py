"""Holds a metric at or above a floor on every slice of the data."""

from lockgate_sdk import Check, Metric, Rules, check, metrics, param, params, policy, rule


@params(example={"metric": "recall", "min": 0.8})
class Params:
    """What a gate gives the policy. It is held against this before the policy is called."""

    metric: str = param("Name of the metric.", min_length=1)
    min: float = param("The least value that passes, on each slice.")


class Rule(Rules):
    """What this policy checks. A check cannot name any other rule."""

    FLOOR = rule(
        "Every slice above the floor",
        "The metric is at least `min` on every slice of the data that it was measured on. Fails "
        "for a slice that was only evaluated in part, and when there is no slice at all.",
    )


@policy(name="{{name}}", version="0.1.0", rules=Rule)
def slice_floor(params: Params) -> list[Check]:
    """Holds a metric at or above a floor on every slice of the data."""
    slices = [it for it in metrics.candidate(params.metric) if it.slice is not None]
    # Absent is not clean: what nobody measured has not passed.
    if not slices:
        message = f"{params.metric} was measured on no slice"
        return [check.fail(Rule.FLOOR, message).about(params.metric)]
    return [judge(metric, params.min) for metric in slices]


def judge(metric: Metric, least: float) -> Check:
    """The check of one slice."""
    if metric.partial:
        made = check.fail(Rule.FLOOR, f"{metric.label()} was only evaluated in part")
    else:
        made = check.at_least(Rule.FLOOR, metric.label(), metric.value, least)
    return made.about(str(metric.slice)).remedy("train on more data of this slice")
