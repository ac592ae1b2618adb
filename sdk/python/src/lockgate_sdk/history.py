"""Where this model has been before."""

from __future__ import annotations

from ._host import interface
from ._types import Transition, record, target

_host = interface("history")


def transitions() -> list[Transition]:
    """Earlier transitions of any version of the model, oldest first."""
    return [record(Transition, it, target=target(it.target)) for it in _host.transitions()]


def current() -> str | None:
    """The version that the target means now; None when it is empty or that is not known."""
    return _host.current()
