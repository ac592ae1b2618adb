"""Security scans of the artifacts, the image and the dependencies."""

from __future__ import annotations

from ._host import enum, interface
from ._types import Category, Exploitability, Finding, Scan, Severity, member, record

_host = interface("security")


def scans() -> list[Scan]:
    """Scanner runs."""
    return [
        record(Scan, it, looked_for=[member(Category, category) for category in it.looked_for])
        for it in _host.scans()
    ]


def findings(
    at_least: Severity = Severity.UNKNOWN, *, category: Category | None = None
) -> list[Finding]:
    """Findings of at least this severity, worst first, and every unrated one.

    A finding of unknown severity may be of any. A policy pays for the findings that it is handed,
    so that naming a category is cheaper than to pick from all.
    """
    least = enum("Severity", _host, at_least)
    if category is None:
        found = _host.findings(least)
    else:
        found = _host.findings_of(enum("Category", _host, category), least)
    return [
        record(
            Finding,
            it,
            category=member(Category, it.category),
            severity=member(Severity, it.severity),
            exploitability=member(Exploitability, it.exploitability),
        )
        for it in found
    ]
