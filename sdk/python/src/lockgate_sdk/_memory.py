"""The contract's functions over evidence in memory."""

from __future__ import annotations

import sys
from typing import Any

from ._now import now
from ._types import Category, Finding, Metric, Severity


def get_request() -> Any:
    return now().request


def get_metadata() -> Any:
    return now().metadata


def tag(key: str) -> str | None:
    return now().tags.get(key)


def tags() -> list[tuple[str, str]]:
    return sorted(now().tags.items())


def card() -> list[Any]:
    return list(now().card)


def artifacts() -> list[Any]:
    return list(now().artifacts)


def candidate() -> list[Metric]:
    return sorted(now().metrics, key=_order)


def candidate_named(name: str) -> list[Metric]:
    return [metric for metric in candidate() if metric.name == name]


def baseline() -> list[Metric]:
    return sorted(now().baseline, key=_order)


def baseline_named(name: str) -> list[Metric]:
    return [metric for metric in baseline() if metric.name == name]


def unmeasured(name: str) -> str | None:
    return now().unmeasured.get(name)


def results() -> list[Any]:
    return list(now().tests)


def usages() -> list[Any]:
    return list(now().usages)


def forecasts() -> list[Any]:
    return list(now().forecasts)


def scans() -> list[Any]:
    return list(now().scans)


def findings(at_least: Severity) -> list[Finding]:
    # An unrated finding may be of any severity.
    asked = [it for it in now().findings if it.severity >= at_least or it.severity is Severity.UNKNOWN]
    return sorted(asked, key=lambda finding: -finding.severity)


def findings_of(category: Category, at_least: Severity) -> list[Finding]:
    return [finding for finding in findings(at_least) if finding.category is category]


def list_approvals() -> list[Any]:
    return list(now().approvals)


def transitions() -> list[Any]:
    return sorted(now().transitions, key=lambda transition: transition.at)


def current() -> str | None:
    return now().current


def list_sources() -> list[Any]:
    return list(now().sources)


def names() -> list[str]:
    return sorted(now().documents)


def read(name: str) -> str | None:
    return now().documents.get(name)


def log(level: str, message: str) -> None:
    print(f"{level}: {message}", file=sys.stderr)


def _order(metric: Metric) -> tuple[str, bool, str, bool, str]:
    """By name, dataset and slice; what is not known comes first, as in the host."""
    dataset, slice_ = metric.dataset, metric.slice
    return metric.name, dataset is not None, dataset or "", slice_ is not None, slice_ or ""
