"""What the GPUs have cost, and what serving is expected to cost."""

from __future__ import annotations

from ._host import interface
from ._types import Forecast, Purpose, Usage, member, record

_host = interface("cost")


def usages() -> list[Usage]:
    """GPU time and money spent."""
    return [record(Usage, it, purpose=member(Purpose, it.purpose)) for it in _host.usages()]


def forecasts() -> list[Forecast]:
    """Expected costs."""
    return [record(Forecast, it) for it in _host.forecasts()]
