"""What is known of the model version itself."""

from __future__ import annotations

from ._host import interface
from ._types import Artifact, CardSection, Metadata, record

_host = interface("model")


def metadata() -> Metadata:
    return record(Metadata, _host.get_metadata())


def tag(key: str) -> str | None:
    """Value of one tag; None when the version does not carry it."""
    return _host.tag(key)


def tags() -> dict[str, str]:
    """All tags, ordered by key."""
    return dict(_host.tags())


def card() -> list[CardSection]:
    """Sections of the model card in their order; empty when there is no card."""
    return [record(CardSection, it) for it in _host.card()]


def artifacts() -> list[Artifact]:
    """Files of the model."""
    return [record(Artifact, it) for it in _host.artifacts()]
