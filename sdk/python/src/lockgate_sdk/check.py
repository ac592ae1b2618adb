"""Makes checks."""

from ._check import Check, Comparison, Outcome, measured
from ._policy import Rules


# Called `pass_` because `pass` is a word of the language.
def pass_(rule: Rules, message: str) -> Check:
    """The rule holds."""
    return Check(rule, Outcome.PASS, message)


def fail(rule: Rules, message: str) -> Check:
    """The rule is broken."""
    return Check(rule, Outcome.FAIL, message)


def warn(rule: Rules, message: str) -> Check:
    """The rule holds, narrowly or with a remark."""
    return Check(rule, Outcome.WARN, message)


def skip(rule: Rules, message: str) -> Check:
    """The rule does not apply. A policy whose every check is skipped has checked nothing."""
    return Check(rule, Outcome.SKIP, message)


def at_least(rule: Rules, name: str, actual: float, limit: float) -> Check:
    """Passes when ``actual`` is ``limit`` or more. A number that is not finite fails."""
    return measured(rule, name, actual, limit, Comparison.AT_LEAST)


def at_most(rule: Rules, name: str, actual: float, limit: float) -> Check:
    """Passes when ``actual`` is ``limit`` or less. A number that is not finite fails."""
    return measured(rule, name, actual, limit, Comparison.AT_MOST)
