"""Write lockgate policies in Python.

A policy is a function from typed params to checks::

    from lockgate_sdk import Check, Rules, check, metrics, param, params, policy, rule

    @params
    class Params:
        metric: str = param("Name of the metric.")
        min: float = param("The least value that passes.", min=0)

    class Rule(Rules):
        FLOOR = rule("Above the floor", "Every value of the metric is at least `min`.")

    @policy(name="floor", version="1.0.0", rules=Rule)
    def floor(params: Params) -> list[Check]:
        \"\"\"Holds a metric above a floor.\"\"\"
        return [
            check.at_least(Rule.FLOOR, metric.label(), metric.value, params.min)
            for metric in metrics.candidate(params.metric)
        ]

It reads its evidence through the modules ``approvals``, ``cost``, ``documents``, ``history``,
``log``, ``metrics``, ``model``, ``promotion``, ``security``, ``sources`` and ``tests`` of this
package; ``reads`` of its ``policy.yaml`` has to name each that it imports. A component built from
it imports these and nothing else.

A time is in seconds since the Unix epoch. A float in the evidence is always finite. ``None`` means
"not known", never "zero" or "clean".
"""

from . import check, refuse
from ._check import Check, CheckResult, Comparison, Measure, Outcome
from ._number import difference, number, tidy
from ._params import param, params
from ._policy import Description, Policy, RuleText, Rules, policy, rule
from ._types import (
    Approval,
    Artifact,
    CardSection,
    Category,
    Exploitability,
    Finding,
    Forecast,
    Metadata,
    Metric,
    ModelVersion,
    Purpose,
    Request,
    Scan,
    Severity,
    Source,
    Target,
    Test,
    TestStatus,
    Transition,
    Usage,
)
from .refuse import Refusal

__all__ = [
    "Approval",
    "Artifact",
    "CardSection",
    "Category",
    "Check",
    "CheckResult",
    "Comparison",
    "Description",
    "Exploitability",
    "Finding",
    "Forecast",
    "Measure",
    "Metadata",
    "Metric",
    "ModelVersion",
    "Outcome",
    "Policy",
    "Purpose",
    "Refusal",
    "Request",
    "RuleText",
    "Rules",
    "Scan",
    "Severity",
    "Source",
    "Target",
    "Test",
    "TestStatus",
    "Transition",
    "Usage",
    "check",
    "difference",
    "number",
    "param",
    "params",
    "policy",
    "refuse",
    "rule",
    "tidy",
]
