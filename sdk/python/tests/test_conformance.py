"""The table that the SDKs of all languages are held against."""

import json
import math
from pathlib import Path

import pytest

from lockgate_sdk import Check, Rules, check, difference, number, rule

TABLE = json.loads((Path(__file__).parents[2] / "conformance" / "checks.json").read_text("utf-8"))


class Rule(Rules):
    ONLY = rule("Only", "The only one.")


def value(given):
    return float(given)


@pytest.mark.parametrize("row", TABLE["numbers"], ids=lambda row: str(row["value"]))
def test_writes_numbers(row):
    assert number(value(row["value"])) == row["text"]


@pytest.mark.parametrize("row", TABLE["differences"], ids=lambda row: f"{row['a']} - {row['b']}")
def test_takes_differences(row):
    result, expected = difference(value(row["a"]), value(row["b"])), value(row["difference"])
    assert result == expected or (math.isnan(result) and math.isnan(expected))


def make(given) -> Check:
    kind, rest = given["kind"].replace("-", "_"), dict(given)
    if "name" in given:
        made = getattr(check, kind)(Rule.ONLY, given["name"], value(given["actual"]), value(given["limit"]))
    else:
        made = getattr(check, "pass_" if kind == "pass" else kind)(Rule.ONLY, rest.pop("message"))
    # In this order, as a builder's methods are called in it.
    for method in ("message", "unit", "about", "remedy"):
        if method in rest:
            made = getattr(made, method)(rest[method])
    return made


@pytest.mark.parametrize("row", TABLE["checks"], ids=lambda row: row["case"])
def test_makes_checks(row):
    made, expected = make(row["make"]).result(), row["expect"]
    assert made.outcome.value == expected["outcome"]
    assert (made.message, made.about, made.remedy) == (
        expected["message"],
        expected.get("about"),
        expected.get("remedy"),
    )
    measure = made.measure and {
        "name": made.measure.name,
        "actual": made.measure.actual,
        "limit": made.measure.limit,
        "comparison": made.measure.comparison.value,
        "unit": made.measure.unit,
    }
    expected_measure = expected.get("measure")
    assert measure == (expected_measure and {"unit": None, **expected_measure})
