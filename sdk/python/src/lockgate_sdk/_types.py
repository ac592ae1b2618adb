"""The contract's records, the same natively and in a component."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any, Literal, TypeVar

from ._word import Word

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


class Category(Word):
    VULNERABILITY = "vulnerability"
    UNSAFE_CODE = "unsafe-code"
    SECRET = "secret"
    MISCONFIGURATION = "misconfiguration"
    LICENSE = "license"
    OTHER = "other"


class Exploitability(Word):
    """What a VEX statement or the scanner says of a finding's effect here."""

    AFFECTED = "affected"
    NOT_AFFECTED = "not-affected"
    FIXED = "fixed"
    UNDER_INVESTIGATION = "under-investigation"
    UNSTATED = "unstated"


class Purpose(Word):
    TRAINING = "training"
    TUNING = "tuning"
    EVALUATION = "evaluation"
    SERVING = "serving"
    OTHER = "other"


class TestStatus(Word):
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
    """Name of the registry that holds the model ("mlflow"); "local" when none was named."""
    model: str
    """Name of the registered model."""
    version: str
    """The version as the registry writes it; not necessarily a number."""
    digest: str | None = None
    """Digest of the model's artifacts; None when the request names none."""


@dataclass(frozen=True)
class Request:
    """What is asked for."""

    subject: ModelVersion
    """The version that is to be moved."""
    target: Target
    """Where it is to go."""
    at: int
    """The evaluation time; the only clock a policy has."""
    source: Target | None = None
    """Where the version is now; None when that is not known or it is nowhere yet."""
    requested_by: str | None = None
    """Who asks, as the registry or CI system names them; None when nobody was named."""


@dataclass(frozen=True)
class Metadata:
    owner: str | None = None
    """Who owns the model."""
    license: str | None = None
    """SPDX expression, or what the source says in its own words."""
    framework: str | None = None
    """What the model was made with ("sklearn")."""
    description: str | None = None
    """What the version says of itself."""
    created_at: int | None = None
    """When the version was made."""
    source_run: str | None = None
    """Identifier of the run that produced the model."""
    source_commit: str | None = None
    """Commit of the training code."""
    training_dataset: str | None = None
    """Name or digest of the dataset it was trained on."""


@dataclass(frozen=True)
class Artifact:
    path: str
    """Path within the model, with "/" between folders."""
    format: str | None = None
    """Serialisation format ("pickle", "safetensors"); None when not known."""
    size: int | None = None
    """Size in bytes."""
    digest: str | None = None
    """Digest of the file, ``sha256:…``."""


@dataclass(frozen=True)
class CardSection:
    name: str
    """Title of the section."""
    text: str
    """What stands below the title."""


@dataclass(frozen=True)
class Metric:
    name: str
    """Name of the metric."""
    value: float
    """Always finite."""
    dataset: str | None = None
    """Dataset it was measured on; None when the source does not say."""
    slice: str | None = None
    """Data slice ("region=eu"); None for the whole dataset."""
    sample_size: int | None = None
    """Number of samples behind the value."""
    standard_error: float | None = None
    """Standard error of the value, in its unit; at least 0."""
    higher_is_better: bool | None = None
    """Whether more is better; None when the source does not say."""
    partial: bool = False
    """True when only part of the dataset was evaluated."""
    recorded_at: int | None = None
    """When it was recorded."""

    def label(self) -> str:
        """Its name for people, with dataset and slice: ``auc (validation, region=eu)``."""
        where = ", ".join(part for part in (self.dataset, self.slice) if part is not None)
        return f"{self.name} ({where})" if where else self.name


@dataclass(frozen=True)
class Test:
    __test__ = False  # Not a test of pytest's.

    suite: str
    """Suite that the test is part of."""
    name: str
    """Name of the test."""
    status: TestStatus
    """How it ended."""
    critical: bool = False
    """Whether the suite's author marked it as critical."""
    message: str | None = None
    """What the suite says of it."""


@dataclass(frozen=True)
class Usage:
    purpose: Purpose
    """What the GPUs were used for."""
    gpu_model: str | None = None
    """Model of the GPU ("NVIDIA H100"); None when not known or mixed."""
    gpu_hours: float | None = None
    """Number of GPUs times hours; at least 0."""
    utilization: float | None = None
    """Mean utilisation, 0 to 1."""
    amount: float | None = None
    """Money spent, in ``currency``."""
    currency: str | None = None
    """ISO 4217 code of ``amount`` ("USD"); None when the source does not say."""
    started_at: int | None = None
    """When the usage began."""
    ended_at: int | None = None
    """When the usage ended."""


@dataclass(frozen=True)
class Forecast:
    metric: str
    """What the amount is for; its name is the unit ("per 1k requests", "per month")."""
    amount: float
    """Money expected to be spent, in ``currency``."""
    currency: str
    """ISO 4217 code of ``amount`` ("USD")."""


@dataclass(frozen=True)
class Scan:
    scanner: str
    """Name of the scanner ("trivy")."""
    looked_for: list[Category]
    """What it was able to find; no finding outside these means nothing."""
    version: str | None = None
    """Version of the scanner."""
    target: str | None = None
    """What was scanned, as the scanner names it."""
    target_digest: str | None = None
    """Digest of what was scanned."""
    finished_at: int | None = None
    """When the scan ended."""
    scanned: int | None = None
    """Number of files or packages looked at; None when the scanner does not say."""
    skipped: int = 0
    """Number of files passed over. Not the same as clean."""
    errors: list[str] = field(default_factory=list)
    """What went wrong during the scan, one line each."""

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
    """Name of the scanner that found it."""
    id: str
    """The scanner's identifier ("CVE-2026-1", "S201")."""
    category: Category
    """What kind of finding it is."""
    severity: Severity
    """How bad the scanner says it is; ``UNKNOWN`` when it gives no rating."""
    title: str
    """What it is, in a few words."""
    component: str | None = None
    """Package or module it is in."""
    installed: str | None = None
    """Version of the component that is installed."""
    fixed_in: str | None = None
    """First version of the component without it; None when there is no fix."""
    location: str | None = None
    """File or layer it was found in."""
    exploitability: Exploitability = Exploitability.UNSTATED
    """What a VEX statement or the scanner says of its effect here."""


@dataclass(frozen=True)
class Approval:
    approver: str
    """Who approved, as their system names them."""
    at: int
    """When they approved."""
    role: str | None = None
    """The role in which they approved."""
    reference: str | None = None
    """Ticket, review or change in which the approval stands."""


@dataclass(frozen=True)
class Transition:
    version: str
    """The version that was moved."""
    target: Target
    """Where it went."""
    at: int
    """When it was moved."""
    by: str | None = None
    """Who moved it."""


@dataclass(frozen=True)
class Source:
    name: str
    """Name of the file, or of the resource of a registry."""
    format: str
    """Name of the format it was read as ("trivy")."""
    digest: str
    """Digest of its bytes, ``sha256:…``."""
    collected_at: int | None = None
    """When what it says was true; None when it does not say."""
    signed_by: list[str] = field(default_factory=list)
    """Identities whose signature over it the host has verified."""


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
