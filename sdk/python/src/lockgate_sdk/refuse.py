"""Why a policy could not judge. Counts as undecided, never as a pass."""

from typing import Literal, NoReturn

from ._text import one_line


class Refusal(Exception):
    """Raised by :func:`params` and :func:`evidence`, and when the params do not fit."""

    def __init__(self, kind: Literal["params", "evidence"], message: str) -> None:
        self.kind = kind
        self.message = one_line(message)
        super().__init__(self.message)


def params(message: str) -> NoReturn:
    """The params make no sense, though they fit the schema."""
    raise Refusal("params", message)


def evidence(message: str) -> NoReturn:
    """The evidence is missing, contradictory or not of a kind that the policy can judge."""
    raise Refusal("evidence", message)
