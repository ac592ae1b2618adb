"""Who has agreed."""

from __future__ import annotations

from ._host import interface
from ._types import Approval, record

_host = interface("approvals")


def all() -> list[Approval]:
    return [record(Approval, it) for it in _host.list_approvals()]
