"""The contract's records, the same natively and in a component."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any, Literal, TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=Enum)


class Severity(IntEnum):
    """In rising order; ``UNKNOWN`` is the scanner's own word for "not rated"."""

    UNKNOWN = 0
    NEGLIGIBLE = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
    CRITICAL = 5

    def __str__(self) -> str:
        return self.name.lower()


class _Word(Enum):
    def __str__(self) -> str:
        return str(self.value)


class Category(_Word):
    VULNERABILITY = "vulnerability"
    UNSAFE_CODE = "unsafe-code"
    SECRET = "secret"
    MISCONFIGURATION = "misconfiguration"
    LICENSE = "license"
    OTHER = "other"


class Exploitability(_Word):
    """What a VEX statement or the scanner says of a finding's effect here."""

    AFFECTED = "affected"
    NOT_AFFECTED = "not-affected"
    FIXED = "fixed"
    UNDER_INVESTIGATION = "under-investigation"
    UNSTATED = "unstated"


class Purpose(_Word):
    TRAINING = "training"
    TUNING = "tuning"
    EVALUATION = "evaluation"
    SERVING = "serving"
    OTHER = "other"


class TestStatus(_Word):
    __test__ = False  # Not a test of pytest's.

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Target:
    """Where a version is to go, or comes from. As text it is ``stage:Production``."""

    kind: Literal["stage", "alias", "environment"]
    name: str

    @classmethod
    def stage(cls, name: str) -> Target:
        return cls("stage", name)

    @classmethod
    def alias(cls, name: str) -> Target:
        return cls("alias", name)

    @classmethod
    def environment(cls, name: str) -> Target:
        return cls("environment", name)

    def __str__(self) -> str:
        return f"{'env' if self.kind == 'environment' else self.kind}:{self.name}"


@dataclass(frozen=True)
class ModelVersion:
    """A version of a model in a registry."""

    registry: str
    model: str
    version: str
    digest: str | None = None


@dataclass(frozen=True)
class Request:
    """What is asked for."""

    subject: ModelVersion
    target: Target
    at: int
    """The evaluation time; the only clock a policy has."""
    source: Target | None = None
    """Where the version is now."""
    requested_by: str | None = None


@dataclass(frozen=True)
class Metadata:
    owner: str | None = None
    license: str | None = None
    framework: str | None = None
    description: str | None = None
    created_at: int | None = None
    source_run: str | None = None
    source_commit: str | None = None
    training_dataset: str | None = None


@dataclass(frozen=True)
class Artifact:
    path: str
    format: str | None = None
    size: int | None = None
    digest: str | None = None


@dataclass(frozen=True)
class CardSection:
    name: str
    text: str


@dataclass(frozen=True)
class Metric:
    name: str
    value: float
    dataset: str | None = None
    """Dataset it was measured on."""
    slice: str | None = None
    """Data slice ("region=eu"); None for the whole dataset."""
    sample_size: int | None = None
    standard_error: float | None = None
    higher_is_better: bool | None = None
    partial: bool = False
    """True when only part of the dataset was evaluated."""
    recorded_at: int | None = None

    def label(self) -> str:
        """Its name for people, with dataset and slice: ``auc (validation, region=eu)``."""
        where = ", ".join(part for part in (self.dataset, self.slice) if part is not None)
        return f"{self.name} ({where})" if where else self.name


@dataclass(frozen=True)
class Test:
    __test__ = False  # Not a test of pytest's.

    suite: str
    name: str
    status: TestStatus
    critical: bool = False
    message: str | None = None


@dataclass(frozen=True)
class Usage:
    purpose: Purpose
    gpu_model: str | None = None
    gpu_hours: float | None = None
    utilization: float | None = None
    """Mean utilisation, 0 to 1."""
    amount: float | None = None
    currency: str | None = None
    """ISO 4217 code of ``amount``."""
    started_at: int | None = None
    ended_at: int | None = None


@dataclass(frozen=True)
class Forecast:
    metric: str
    """What the amount is for ("per 1k requests")."""
    amount: float
    currency: str


@dataclass(frozen=True)
class Scan:
    scanner: str
    looked_for: list[Category]
    """No finding outside these means nothing."""
    version: str | None = None
    target: str | None = None
    target_digest: str | None = None
    finished_at: int | None = None
    scanned: int | None = None
    """Number of files or packages looked at."""
    skipped: int = 0
    """Number of files passed over. Not the same as clean."""
    errors: list[str] = field(default_factory=list)

    def shortcoming(self) -> str | None:
        """Why finding nothing in this scan would not mean clean; None when it went through."""
        if self.errors:
            more = f" and {len(self.errors) - 1} more" if len(self.errors) > 1 else ""
            return f"met an error: {self.errors[0]}{more}"
        if self.skipped > 0:
            return f"passed over {self.skipped} files"
        return "looked at nothing" if self.scanned == 0 else None

    def label(self) -> str:
        """The scanner and what it scanned, for people."""
        return self.scanner if self.target is None else f"{self.scanner} of `{self.target}`"


@dataclass(frozen=True)
class Finding:
    scanner: str
    id: str
    category: Category
    severity: Severity
    title: str
    component: str | None = None
    installed: str | None = None
    fixed_in: str | None = None
    location: str | None = None
    exploitability: Exploitability = Exploitability.UNSTATED


@dataclass(frozen=True)
class Approval:
    approver: str
    at: int
    role: str | None = None
    reference: str | None = None


@dataclass(frozen=True)
class Transition:
    version: str
    target: Target
    at: int
    by: str | None = None


@dataclass(frozen=True)
class Source:
    name: str
    format: str
    digest: str
    collected_at: int | None = None
    signed_by: list[str] = field(default_factory=list)


def record(cls: type[T], it: Any, **changed: Any) -> T:
    """A record of the contract as ours: the fields have the same names."""
    return cls(**{**vars(it), **changed})


def member(cls: type[E], it: Any) -> E:
    """A member of an enum by the name it has in another of the same words."""
    return cls[it.name]


def target(it: Any) -> Target:
    if isinstance(it, Target):
        return it
    # A variant's case is a class named `Target_Stage`.
    return Target(type(it).__name__.removeprefix("Target_").lower(), it.value)
