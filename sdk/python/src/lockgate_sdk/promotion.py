"""What is asked for."""

from __future__ import annotations

from ._host import interface
from ._types import ModelVersion, Request, record, target

_host = interface("promotion")


def request() -> Request:
    """Subject, target, who asks, and the evaluation time."""
    it = _host.get_request()
    return record(
        Request,
        it,
        subject=record(ModelVersion, it.subject),
        source=None if it.source is None else target(it.source),
        target=target(it.target),
    )
