"""Where each piece of evidence came from and who vouches for it."""

from __future__ import annotations

from ._host import interface
from ._types import Source, record

_host = interface("sources")


def all() -> list[Source]:
    return [record(Source, it) for it in _host.list_sources()]
