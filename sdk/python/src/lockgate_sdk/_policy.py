from __future__ import annotations

import enum
import inspect
import json
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Generic, NoReturn, TypeVar

from . import refuse
from ._check import Check, CheckResult
from ._now import during
from ._params import kebab_case, reader

if typing.TYPE_CHECKING:
    from .testing import Evidence

P = TypeVar("P")

_KEBAB_CASE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SEMVER = re.compile(r"\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?")


# Without equality: two rules of the same text are still two rules.
@dataclass(frozen=True, eq=False)
class RuleText:
    """What a rule checks."""

    title: str
    """A few words."""
    description: str
    """What is checked and when it fails."""


def rule(title: str, description: str) -> Any:
    """One rule: a few words, and what is checked and when it fails."""
    return RuleText(title, description)


class Rules(enum.Enum):
    """The rules of a policy, each made with :func:`rule`.

    The code of a rule is its name in kebab-case: ``SCAN_COMPLETE`` is ``scan-complete``.
    """

    @property
    def code(self) -> str:
        return kebab_case(self.name)


@dataclass(frozen=True)
class Description:
    """What a policy says of itself."""

    name: str
    """Name of the policy in kebab-case."""
    version: str
    """Version of the policy (SemVer)."""
    summary: str
    """What it does, in one line."""
    rules: list[tuple[str, RuleText]]
    """Code in kebab-case and words of each rule."""
    params_schema: str
    """JSON Schema (2020-12) of the params, as text."""


class Policy(Generic[P]):
    """A policy, made by :func:`policy`."""

    def __init__(
        self, function: Callable[[P], list[Check]], name: str, version: str, rules: type[Rules]
    ) -> None:
        self._function = function
        self._rules = rules
        self._params = _params_of(function)
        schema, self._read = reader(self._params)
        self._description = Description(
            name=name,
            version=version,
            summary=_summary(function),
            rules=[(it.code, it.value) for it in rules],
            params_schema=json.dumps(schema, ensure_ascii=False, separators=(",", ":")),
        )
        self.__doc__ = function.__doc__

    def describe(self) -> Description:
        """What the policy says of itself."""
        return self._description

    def evaluate(self, params: P | dict[str, Any], evidence: Evidence) -> list[CheckResult]:
        """The checks that the policy makes on the evidence of a test.

        Params can also be given as a gate writes them, and are then held against their schema.
        Raises :class:`Refusal` when the policy cannot judge.
        """
        read = params if isinstance(params, self._params) else self._read(params)
        with during(evidence):
            return self._judge(read)

    def evaluate_text(self, params: str) -> list[CheckResult]:
        """The checks that the policy makes on the evidence of the host."""
        try:
            value = json.loads(params, parse_constant=_no_number)
        except ValueError as error:
            refuse.params(f"the params are not JSON: {error}")
        return self._judge(self._read(value))

    def _judge(self, params: P) -> list[CheckResult]:
        checks = self._function(params)
        if not isinstance(checks, list):
            raise TypeError("the policy returned no list; return a list of checks")
        return [self._finished(check) for check in checks]

    def _finished(self, check: Any) -> CheckResult:
        if not isinstance(check, Check):
            raise TypeError("the policy returned something that is no check; make checks with `check`")
        if isinstance(check._rule, str):
            name = f"{self._rules.__name__}.{check._rule.upper().replace('-', '_')}"
            raise TypeError(f"a check names its rule by text; write `{name}`, not `\"{check._rule}\"`")
        if not isinstance(check._rule, self._rules):
            known = ", ".join(f"`{it.name}`" for it in self._rules)
            raise TypeError(
                f"a check names the rule `{check._rule}`, which the policy does not declare; "
                f"its rules are {known}"
            )
        return check.result()


def policy(
    *, name: str, version: str, rules: type[Rules]
) -> Callable[[Callable[[P], list[Check]]], Policy[P]]:
    """Makes a function the policy of its module.

    The function takes the params, whose type is a class with ``@params``, and returns every check
    it made, passed ones too. The first paragraph of its documentation is the policy's summary.
    """
    _demand(_KEBAB_CASE.fullmatch(name), f"the policy's name `{name}` is not in kebab-case, like `my-policy`")
    _demand(_SEMVER.fullmatch(version), f"the policy's version `{version}` is not one of SemVer, like `1.0.0`")
    _demand(len(rules) > 0, "the policy has no rules; name at least one")
    for it in rules:
        text = it.value
        _demand(isinstance(text, RuleText), f"the rule `{it.name}` is not made with `rule(…)`")
        _demand(_KEBAB_CASE.fullmatch(it.code), f"the rule `{it.name}` is not named like `SCAN_COMPLETE`")
        _demand(text.title.strip() and text.description.strip(), f"the rule `{it.name}` lacks words")
    return lambda function: Policy(function, name, version, rules)


def policy_of(module: ModuleType) -> Policy:
    """The one policy that a module defines."""
    found = {id(it): it for it in vars(module).values() if isinstance(it, Policy)}
    if len(found) != 1:
        how_many = "no function" if not found else f"{len(found)} functions"
        raise TypeError(f"`{module.__name__}` has {how_many} with `@policy(…)`; it has to have one")
    return next(iter(found.values()))


def _params_of(function: Callable[..., Any]) -> Any:
    """The type of the function's first parameter."""
    hints = typing.get_type_hints(function)
    first = next(iter(inspect.signature(function).parameters), None)
    kind = hints.get(first) if first else None
    _demand(kind is not None, f"`{function.__name__}` has to take its params, like `params: Params`")
    _demand(hasattr(kind, "__dataclass_fields__"), f"`{kind}` is no class with `@params`")
    return kind


def _summary(function: Callable[..., Any]) -> str:
    paragraph = (inspect.getdoc(function) or "").split("\n\n")[0]
    summary = " ".join(paragraph.split())
    _demand(summary, f"`{function.__name__}` has no documentation; its first paragraph is the summary")
    return summary


def _demand(condition: Any, message: str) -> None:
    if not condition:
        raise TypeError(message)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"`{word}` is no number of JSON")
