from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ._number import digits, numbers
from ._text import authored, one_line
from ._word import Word

if TYPE_CHECKING:
    from ._policy import Rules


class Outcome(Word):
    PASS = "pass"
    FAIL = "fail"
    WARN = "warn"
    SKIP = "skip"


class Comparison(Word):
    AT_LEAST = "at-least"
    AT_MOST = "at-most"


@dataclass(frozen=True)
class Measure:
    """What was measured against what."""

    name: str
    """What was measured."""
    actual: float
    """The value; finite."""
    limit: float
    """What it is held against; finite."""
    comparison: Comparison
    """On which side of the limit the value has to be; the limit itself passes."""
    unit: str | None = None
    """Unit of both numbers ("USD", "GPU hours"); None for bare numbers."""

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
    """Code of the rule, as the policy declares it."""
    outcome: Outcome
    """How it came out."""
    message: str
    """One line, for the person whose promotion this is."""
    about: str | None = None
    """Which of several things the check is about ("CVE-2026-1", "region=eu"); waivers can name it."""
    measure: Measure | None = None
    """What was measured against what; None when no numbers were."""
    remedy: str | None = None
    """What to do about it; None for a check that passed."""


class Check:
    """A check in the making; each method returns the same check, so that they can be chained."""

    def __init__(self, rule: Rules, outcome: Outcome, message: str, measure: Measure | None = None) -> None:
        self._rule = rule
        self._outcome = outcome
        self._measure = measure
        self._about: str | None = None
        self._remedy: str | None = None
        self.message(message)

    def about(self, about: str) -> Check:
        """Which of several things the check is about; a waiver can name it, so make it stable."""
        self._about = one_line(authored(about, "what a check is about"))
        return self

    def remedy(self, remedy: str | Callable[[], str]) -> Check:
        """What to do about it; dropped when the check passed. A function is only called when needed."""
        if self._outcome in (Outcome.FAIL, Outcome.WARN):
            text = remedy() if callable(remedy) else remedy
            self._remedy = one_line(authored(text, "the remedy of a check"))
        return self

    def unit(self, unit: str) -> Check:
        """Unit of the measured value and its limit (``USD``); also told in the message."""
        authored(unit, "the unit of a check")
        if self._measure is not None:
            measure = replace(self._measure, unit=unit)
            if self._message == self._measure.sentence():
                self._message = measure.sentence()
            self._measure = measure
        return self

    def message(self, message: str) -> Check:
        """Another message than the one that ``at_least`` and ``at_most`` write."""
        self._message = one_line(authored(message, "the message of a check"))
        return self

    def result(self) -> CheckResult:
        return CheckResult(
            self._rule.code, self._outcome, self._message, self._about, self._measure, self._remedy
        )


def measured(rule: Rules, name: str, actual: float, limit: float, comparison: Comparison) -> Check:
    authored(name, "what a check measures")
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
