import datetime
import json
import re
from typing import Literal

import pytest

from lockgate_sdk import (
    Category,
    Check,
    Outcome,
    Refusal,
    Rules,
    Scan,
    Severity,
    Target,
    approvals,
    check,
    documents,
    history,
    metrics,
    model,
    param,
    params,
    policy,
    promotion,
    refuse,
    rule,
    security,
)
from lockgate_sdk.testing import evidence


@params
class Limit:
    """One metric and its floor."""

    name: str = param("Name of the metric.", min_length=1)
    min: float = param("The least value that passes.", min=0, max=1)
    allow_partial: bool = param("Accept partial values.", default=False)


@params
class Params:
    metrics: list[Limit] = param("The metrics.", min_length=1)
    samples: int | None = param("The least number of samples.", default=None, min=1)
    until: datetime.date | None = param("The last day.", default=None)
    worst: Severity = param("The worst severity.", default=Severity.HIGH)
    mode: Literal["all", "any"] = param("Which.", default="all")


class Rule(Rules):
    ABOVE_FLOOR = rule("Above the floor", "The value is at least `min`.")


class Other(Rules):
    ABOVE_FLOOR = rule("Above the floor", "The value is at least `min`.")


@policy(name="floor", version="1.0.0", rules=Rule)
def floor(params: Params) -> list[Check]:
    """Holds metrics above
    a floor.

    And more.
    """
    return [
        check.at_least(Rule.ABOVE_FLOOR, metric.label(), metric.value, limit.min)
        for limit in params.metrics
        for metric in metrics.candidate(limit.name)
    ]


def judging(judge):
    def function(params: Params) -> list[Check]:
        """Judges."""
        return judge(params)

    return policy(name="judging", version="1.0.0", rules=Rule)(function)


PARAMS = {"metrics": [{"name": "auc", "min": 0.9}]}
EMPTY = evidence().build()


def test_judges_the_evidence_it_is_given():
    facts = evidence().metric("auc", 0.93).metric("auc", 0.8, slice="region=eu").metric("f1", 0.1)
    made = floor.evaluate(Params(metrics=[Limit(name="auc", min=0.9)]), facts.build())
    assert [(it.outcome, it.message) for it in made] == [
        (Outcome.PASS, "auc is 0.93, at least the required 0.9"),
        (Outcome.FAIL, "auc (region=eu) is 0.8, below the required 0.9"),
    ]


def test_describes_itself():
    description = floor.describe()
    assert (description.name, description.summary) == ("floor", "Holds metrics above a floor.")
    assert [code for code, _ in description.rules] == ["above-floor"]
    limit = {
        "type": "object",
        "properties": {
            "name": {"description": "Name of the metric.", "type": "string", "minLength": 1},
            "min": {"description": "The least value that passes.", "type": "number", "minimum": 0, "maximum": 1},
            "allow-partial": {"description": "Accept partial values.", "type": "boolean", "default": False},
        },
        "additionalProperties": False,
        "required": ["name", "min"],
    }
    assert json.loads(description.params_schema) == {
        "type": "object",
        "properties": {
            "metrics": {"description": "The metrics.", "type": "array", "items": limit, "minItems": 1},
            "samples": {"description": "The least number of samples.", "type": ["integer", "null"], "minimum": 1},
            "until": {"description": "The last day.", "type": ["string", "null"], "format": "date"},
            "worst": {
                "description": "The worst severity.",
                "type": "string",
                "enum": ["unknown", "negligible", "low", "medium", "high", "critical"],
                "default": "high",
            },
            "mode": {"description": "Which.", "type": "string", "enum": ["all", "any"], "default": "all"},
        },
        "additionalProperties": False,
        "required": ["metrics"],
    }


def test_reads_params_by_their_types():
    seen = []
    judged = judging(lambda params: seen.append(params) or [])
    judged.evaluate_text(json.dumps({**PARAMS, "samples": 3.0, "until": "2027-03-31", "worst": "low"}))
    assert seen == [
        Params(
            metrics=[Limit(name="auc", min=0.9)],
            samples=3,
            until=datetime.date(2027, 3, 31),
            worst=Severity.LOW,
        )
    ]
    assert type(seen[0].samples) is int


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "must contain ['metrics']"),
        ({"metrics": []}, "`metrics`: must contain at least 1 items"),
        ({"metrics": [{"name": "auc", "min": 2}]}, "`metrics[0].min`: must be smaller than or equal to 1"),
        ({"metrics": [{"name": "auc", "min": "2"}]}, "`metrics[0].min`: must be number"),
        ({"metrics": [{"name": "auc", "min": True}]}, "`metrics[0].min`: must be number"),
        ({"metrics": [{"name": "auc", "min": 1, "minn": 1}]}, "`metrics[0]`: unknown key `minn`"),
        ({**PARAMS, "worst": "worst"}, "`worst`: must be one of"),
        ({**PARAMS, "until": "2027-02-30"}, "`until`: must be date"),
        ({**PARAMS, "until": "0000-01-01"}, "`0000-01-01` is not a date"),
        ([], "the params: must be object"),
        (None, "the params: must be object"),
    ],
)
def test_refuses_params_that_do_not_fit_and_says_where(given, message):
    judged = judging(lambda _: pytest.fail("the author's code was called"))
    with pytest.raises(Refusal, match=re.escape(message)) as refused:
        judged.evaluate(given, EMPTY)
    assert refused.value.kind == "params"


@pytest.mark.parametrize("text", ["", "{", '{"metrics": NaN}', '{"metrics": [{"name": "a", "min": Infinity}]}'])
def test_refuses_params_that_are_no_json(text):
    with pytest.raises(Refusal, match="the params are not JSON") as refused:
        floor.evaluate_text(text)
    assert refused.value.kind == "params"


def test_takes_no_check_of_a_rule_that_is_not_declared():
    with pytest.raises(TypeError, match="its rules are `ABOVE_FLOOR`"):
        judging(lambda _: [check.fail(Other.ABOVE_FLOOR, "no")]).evaluate(PARAMS, EMPTY)


@pytest.mark.parametrize("answer", [None, check.fail(Rule.ABOVE_FLOOR, "no"), ["no"]])
def test_takes_nothing_but_checks(answer):
    with pytest.raises(TypeError, match="check"):
        judging(lambda _: answer).evaluate(PARAMS, EMPTY)


@pytest.mark.parametrize("actual", ["0.95", None, True])
def test_compares_numbers_and_nothing_else(actual):
    with pytest.raises(TypeError, match="give two numbers"):
        check.at_least(Rule.ABOVE_FLOOR, "auc", actual, 0.9)


def test_takes_text_and_nothing_else_for_words():
    def failed():
        return check.fail(Rule.ABOVE_FLOOR, "no")

    for make in [
        lambda: failed().about(None),
        lambda: failed().about(7),
        lambda: failed().remedy(None),
        lambda: failed().remedy(lambda: None),
        lambda: failed().unit(None),
        lambda: check.fail(Rule.ABOVE_FLOOR, None),
        lambda: check.at_least(Rule.ABOVE_FLOOR, None, 1, 2),
    ]:
        with pytest.raises(TypeError, match="give text$"):
            make()


def test_says_how_a_rule_is_named_in_a_check():
    with pytest.raises(TypeError, match=re.escape('write `Rule.ABOVE_FLOOR`, not `"above-floor"`')):
        judging(lambda _: [check.fail("above-floor", "no")]).evaluate(PARAMS, EMPTY)


def test_enums_are_their_words_as_text():
    made = check.at_least(Rule.ABOVE_FLOOR, "auc", 1, 2).result()
    assert (str(made.outcome), str(made.measure.comparison)) == ("fail", "at-least")
    assert (str(Category.UNSAFE_CODE), f"{Severity.HIGH}") == ("unsafe-code", "high")


def test_rejects_a_definition_that_no_host_would_take():
    class Empty(Rules):
        pass

    class Blank(Rules):
        FLOOR = rule("", "x")

    class Bare(Rules):
        FLOOR = "floor"

    good = {"name": "floor", "version": "1.0.0", "rules": Rule}
    for changed, message in [
        ({"name": "My Policy"}, "kebab-case"),
        ({"version": "1"}, "SemVer"),
        ({"rules": Empty}, "at least one"),
        ({"rules": Blank}, "lacks words"),
        ({"rules": Bare}, "not made with"),
    ]:
        with pytest.raises(TypeError, match=message):
            policy(**{**good, **changed})

    def undocumented(params: Params) -> list[Check]:
        return []

    def untyped(params) -> list[Check]:
        """Judges."""
        return []

    for function, message in [(undocumented, "documentation"), (untyped, "params: Params")]:
        with pytest.raises(TypeError, match=message):
            policy(**good)(function)


def test_rejects_params_that_no_schema_describes():
    @params
    class Undescribed:
        limit: int

    @params
    class Unsupported:
        limit: complex = param("A limit.")

    @params
    class Unbounded:
        name: str = param("A name.", min=1)

    for kind, message in [(Undescribed, "no description"), (Unsupported, "complex"), (Unbounded, "`min` does not")]:

        def function(params) -> list[Check]:
            """Judges."""
            return []

        function.__annotations__["params"] = kind
        with pytest.raises(TypeError, match=message):
            policy(name="floor", version="1.0.0", rules=Rule)(function)


def test_an_example_has_to_fit():
    @params(example={"limit": 3})
    class Good:
        limit: int = param("A limit.", min=1)

    @params(example={"limit": 0})
    class Bad:
        limit: int = param("A limit.", min=1)

    def make(kind):
        def function(params) -> list[Check]:
            """Judges."""
            return []

        function.__annotations__["params"] = kind
        return policy(name="floor", version="1.0.0", rules=Rule)(function)

    assert json.loads(make(Good).describe().params_schema)["examples"] == [{"limit": 3}]
    with pytest.raises(Refusal, match="`limit`"):
        make(Bad)


def test_has_no_evidence_outside_of_an_evaluation():
    floor.evaluate(PARAMS, EMPTY)
    with pytest.raises(RuntimeError, match="no evidence here"):
        metrics.candidate()


def test_refuses_on_one_line():
    with pytest.raises(Refusal) as refused:
        judging(lambda _: refuse.evidence("mixed\ncurrencies")).evaluate(PARAMS, EMPTY)
    assert (refused.value.kind, str(refused.value)) == ("evidence", "mixed currencies")


def test_gives_findings_worst_first_and_never_leaves_out_unrated_ones():
    facts = (
        evidence()
        .finding("low", Category.VULNERABILITY, Severity.LOW)
        .finding("unrated", Category.VULNERABILITY, Severity.UNKNOWN)
        .finding("secret", Category.SECRET, Severity.CRITICAL)
        .finding("critical", Category.VULNERABILITY, Severity.CRITICAL)
    )
    seen = []

    def judge(_):
        seen.extend(it.id for it in security.findings(Severity.HIGH, category=Category.VULNERABILITY))
        return []

    judging(judge).evaluate(PARAMS, facts.build())
    assert seen == ["critical", "unrated"]


def test_gives_everything_in_the_order_of_the_contract():
    facts = (
        evidence()
        .metric("b", 1)
        .metric("a", 1, slice="x")
        .metric("a", 2)
        .tag("z", "1")
        .tag("a", "2")
        .transition("2", Target.alias("champion"), 20)
        .transition("1", Target.stage("Staging"), 10)
        .document("y", {"a": 1})
        .approval("bob", 5, role="risk")
        .at(42)
    )

    def judge(_):
        assert [(it.name, it.value) for it in metrics.candidate()] == [("a", 2), ("a", 1), ("b", 1)]
        assert list(model.tags()) == ["a", "z"]
        assert [str(it.target) for it in history.transitions()] == ["stage:Staging", "alias:champion"]
        assert (documents.read("y"), documents.read("x")) == ('{"a": 1}', None)
        assert promotion.request().at == 42
        assert approvals.all()[0].role == "risk"
        return [check.pass_(Rule.ABOVE_FLOOR, "fine")]

    assert judging(judge).evaluate(PARAMS, facts.build())


def test_says_why_a_scan_is_not_whole():
    scan = Scan("trivy", [Category.VULNERABILITY], scanned=3)
    assert scan.shortcoming() is None
    assert "a and 1 more" in str(Scan("trivy", [], errors=["a", "b"]).shortcoming())
    assert "passed over 3 files" in str(Scan("trivy", [], skipped=3).shortcoming())
    assert "looked at nothing" in str(Scan("trivy", [], scanned=0).shortcoming())
