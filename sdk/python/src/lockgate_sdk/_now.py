from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .testing import Evidence

# The evidence of the evaluation that is under way, where the host holds none: in unit tests.
_evidence: Evidence | None = None


@contextmanager
def during(evidence: Evidence) -> Iterator[None]:
    global _evidence
    before, _evidence = _evidence, evidence
    try:
        yield
    finally:
        _evidence = before


def now() -> Evidence:
    if _evidence is None:
        raise RuntimeError(
            "there is no evidence here; in a test, give it to `evaluate(params, evidence().build())`"
        )
    return _evidence
