"""Lines for the policy's author. They never change a verdict; the host caps them."""

from __future__ import annotations

from ._host import interface

_host = interface("log")


def debug(message: str) -> None:
    """A detail that only helps when looking for a mistake."""
    _log("DEBUG", message)


def info(message: str) -> None:
    """Something worth knowing."""
    _log("INFO", message)


def warn(message: str) -> None:
    """Something that looks wrong and does not stop the policy."""
    _log("WARN", message)


def _log(level: str, message: str) -> None:
    _host.log(_host.Level[level] if hasattr(_host, "Level") else level.lower(), str(message))
