"""Evidence of any other kind, as JSON text."""

from __future__ import annotations

from ._host import interface

_host = interface("documents")


def names() -> list[str]:
    """Names of the documents."""
    return _host.names()


def read(name: str) -> str | None:
    """The JSON text of the document of that name; None when there is none."""
    return _host.read(name)
