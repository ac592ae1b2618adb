"""Evidence for unit tests."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
from dataclasses import dataclass, field
from typing import Any

from . import _types as t

_NEW_YEAR_2026 = 1_767_225_600


@dataclass
class Evidence:
    """The facts of a test; :func:`evidence` builds them."""

    request: t.Request = t.Request(
        subject=t.ModelVersion("local", "model", "1"),
        target=t.Target.stage("Production"),
        at=_NEW_YEAR_2026,
        requested_by="alice",
    )
    metadata: t.Metadata = t.Metadata()
    tags: dict[str, str] = field(default_factory=dict)
    card: list[t.CardSection] = field(default_factory=list)
    artifacts: list[t.Artifact] = field(default_factory=list)
    metrics: list[t.Metric] = field(default_factory=list)
    baseline: list[t.Metric] = field(default_factory=list)
    unmeasured: dict[str, str] = field(default_factory=dict)
    tests: list[t.Test] = field(default_factory=list)
    usages: list[t.Usage] = field(default_factory=list)
    forecasts: list[t.Forecast] = field(default_factory=list)
    scans: list[t.Scan] = field(default_factory=list)
    findings: list[t.Finding] = field(default_factory=list)
    approvals: list[t.Approval] = field(default_factory=list)
    transitions: list[t.Transition] = field(default_factory=list)
    current: str | None = None
    sources: list[t.Source] = field(default_factory=list)
    documents: dict[str, str] = field(default_factory=dict)


def evidence() -> EvidenceBuilder:
    """Evidence for a test; empty until it is given some.

    Unless told otherwise, ``alice`` asks to move version ``1`` of ``model`` to
    ``stage:Production``, at 2026-01-01T00:00:00Z.
    """
    return EvidenceBuilder()


class EvidenceBuilder:
    """Collects the evidence of a test. Further fields of a record are given by name."""

    def __init__(self) -> None:
        self._facts = Evidence()

    def request(self, **changed: Any) -> EvidenceBuilder:
        """What is asked for, in place of the default."""
        self._facts.request = dataclasses.replace(self._facts.request, **changed)
        return self

    def at(self, seconds: int) -> EvidenceBuilder:
        """The evaluation time in seconds since the Unix epoch."""
        return self.request(at=seconds)

    def requested_by(self, name: str | None) -> EvidenceBuilder:
        """Who asks; None when nobody was named."""
        return self.request(requested_by=name)

    def metadata(self, **known: Any) -> EvidenceBuilder:
        """What is known of the model version itself."""
        self._facts.metadata = dataclasses.replace(self._facts.metadata, **known)
        return self

    def tag(self, key: str, value: str) -> EvidenceBuilder:
        self._facts.tags[key] = value
        return self

    def card_section(self, name: str, text: str) -> EvidenceBuilder:
        self._facts.card.append(t.CardSection(name, text))
        return self

    def artifact(self, path: str, **rest: Any) -> EvidenceBuilder:
        self._facts.artifacts.append(t.Artifact(path, **rest))
        return self

    def metric(self, name: str, value: float, **rest: Any) -> EvidenceBuilder:
        """One metric of the version that asks."""
        self._facts.metrics.append(_metric(name, value, rest))
        return self

    def baseline(self, name: str, value: float, **rest: Any) -> EvidenceBuilder:
        """One metric of the version it would replace."""
        self._facts.baseline.append(_metric(name, value, rest))
        return self

    def unmeasured(self, name: str, reason: str) -> EvidenceBuilder:
        """A metric that has a name but no value, and why."""
        self._facts.unmeasured[name] = reason
        return self

    def test(self, suite: str, name: str, status: t.TestStatus, **rest: Any) -> EvidenceBuilder:
        self._facts.tests.append(t.Test(suite, name, status, **rest))
        return self

    def usage(self, purpose: t.Purpose, **rest: Any) -> EvidenceBuilder:
        self._facts.usages.append(t.Usage(purpose, **rest))
        return self

    def forecast(self, metric: str, amount: float, currency: str) -> EvidenceBuilder:
        self._facts.forecasts.append(t.Forecast(metric, amount, currency))
        return self

    def scan(self, scanner: str, looked_for: list[t.Category], **rest: Any) -> EvidenceBuilder:
        self._facts.scans.append(t.Scan(scanner, looked_for, **rest))
        return self

    def finding(
        self, id: str, category: t.Category, severity: t.Severity, *, scanner: str = "scanner", **rest: Any
    ) -> EvidenceBuilder:
        """One finding, titled by its identifier unless told otherwise."""
        self._facts.findings.append(t.Finding(scanner, id, category, severity, **{"title": id, **rest}))
        return self

    def approval(self, approver: str, at: int, **rest: Any) -> EvidenceBuilder:
        self._facts.approvals.append(t.Approval(approver, at, **rest))
        return self

    def transition(self, version: str, target: t.Target, at: int, **rest: Any) -> EvidenceBuilder:
        self._facts.transitions.append(t.Transition(version, target, at, **rest))
        return self

    def current(self, version: str) -> EvidenceBuilder:
        """The version that the target means now."""
        self._facts.current = version
        return self

    def source(self, name: str, format: str, digest: str, **rest: Any) -> EvidenceBuilder:
        self._facts.sources.append(t.Source(name, format, digest, **rest))
        return self

    def document(self, name: str, json_: Any) -> EvidenceBuilder:
        """A document of any other kind, as JSON text or as a value."""
        self._facts.documents[name] = json_ if isinstance(json_, str) else json.dumps(json_)
        return self

    def build(self) -> Evidence:
        return copy.deepcopy(self._facts)


def _metric(name: str, value: float, rest: dict[str, Any]) -> Metric:
    if not math.isfinite(value):
        raise ValueError(f"`{name}` is {value}; evidence has finite values, and `unmeasured` for others")
    return t.Metric(name, float(value), **rest)
