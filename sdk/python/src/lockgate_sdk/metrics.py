"""Evaluation metrics of the candidate and of what it would replace."""

from __future__ import annotations

from ._host import interface
from ._types import Metric, record

_host = interface("metrics")


def candidate(name: str | None = None) -> list[Metric]:
    """Metrics of the version that asks, all of them or those of one name.

    Ordered by name, dataset and slice.
    """
    found = _host.candidate() if name is None else _host.candidate_named(name)
    return [record(Metric, it) for it in found]


def baseline(name: str | None = None) -> list[Metric]:
    """Metrics of the version it would replace; empty when there is none or they were not given."""
    found = _host.baseline() if name is None else _host.baseline_named(name)
    return [record(Metric, it) for it in found]


def unmeasured(name: str) -> str | None:
    """Why a metric that a source names has no value; None when no source names it at all."""
    return _host.unmeasured(name)
