from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from ._number import digits, numbers
from ._text import one_line

if TYPE_CHECKING:
    from ._policy import Rules


class Outcome(Enum):
    PASS = "pass"
    FAIL = "fail"
    WARN = "warn"
    SKIP = "skip"


class Comparison(Enum):
    AT_LEAST = "at-least"
    AT_MOST = "at-most"


@dataclass(frozen=True)
class Measure:
    """What was measured against what."""

    name: str
    actual: float
    limit: float
    comparison: Comparison
    unit: str | None = None

    def holds(self) -> bool:
        if self.comparison is Comparison.AT_LEAST:
            return self.actual >= self.limit
        return self.actual <= self.limit

    def sentence(self) -> str:
        actual, limit = numbers(self.actual, self.limit)
        unit = "" if self.unit is None else f" {self.unit}"
        relation = _RELATIONS[self.comparison, self.holds()]
        return f"{self.name} is {actual}{unit}, {relation} {limit}{unit}"


_RELATIONS = {
    (Comparison.AT_LEAST, True): "at least the required",
    (Comparison.AT_LEAST, False): "below the required",
    (Comparison.AT_MOST, True): "within the limit of",
    (Comparison.AT_MOST, False): "over the limit of",
}


@dataclass(frozen=True)
class CheckResult:
    """The result of one rule, as ``Policy.evaluate`` returns it."""

    rule: str
    outcome: Outcome
    message: str
    about: str | None = None
    measure: Measure | None = None
    remedy: str | None = None


class Check:
    """A check in the making; each method returns the same check, so that they can be chained."""

    def __init__(self, rule: Rules, outcome: Outcome, message: str, measure: Measure | None = None) -> None:
        self._rule = rule
        self._outcome = outcome
        self._message = one_line(message)
        self._measure = measure
        self._about: str | None = None
        self._remedy: str | None = None

    def about(self, about: str) -> Check:
        """Which of several things the check is about; a waiver can name it, so make it stable."""
        self._about = one_line(about)
        return self

    def remedy(self, remedy: str | Callable[[], str]) -> Check:
        """What to do about it; dropped when the check passed. A function is only called when needed."""
        if self._outcome in (Outcome.FAIL, Outcome.WARN):
            self._remedy = one_line(remedy() if callable(remedy) else remedy)
        return self

    def unit(self, unit: str) -> Check:
        """Unit of the measured value and its limit (``USD``); also told in the message."""
        if self._measure is not None:
            measure = replace(self._measure, unit=unit)
            if self._message == self._measure.sentence():
                self._message = measure.sentence()
            self._measure = measure
        return self

    def message(self, message: str) -> Check:
        """Another message than the one that ``at_least`` and ``at_most`` write."""
        self._message = one_line(message)
        return self

    def result(self) -> CheckResult:
        return CheckResult(
            self._rule.code, self._outcome, self._message, self._about, self._measure, self._remedy
        )


def measured(rule: Rules, name: str, actual: float, limit: float, comparison: Comparison) -> Check:
    for value in (actual, limit):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            kind = type(value).__name__
            raise TypeError(f"`{name}` is compared with a value of type `{kind}`; give two numbers")
    actual, limit = float(actual), float(limit)
    # The contract has no place for a measure that is not finite, and nothing that is not a number
    # is within a limit.
    if not (math.isfinite(actual) and math.isfinite(limit)):
        message = f"{name} is {digits(actual)} against a limit of {digits(limit)}: not comparable"
        return Check(rule, Outcome.FAIL, message)
    measure = Measure(name, actual, limit, comparison)
    outcome = Outcome.PASS if measure.holds() else Outcome.FAIL
    return Check(rule, outcome, measure.sentence(), measure)
