// The table that the SDKs of all languages are held against.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { check, definePolicy, difference, number } from "../src/index.js";
import { evidence } from "../src/testing.js";

const table = JSON.parse(readFileSync(new URL("../../conformance/checks.json", import.meta.url)));

const WORDS = { NaN, inf: Infinity, "-inf": -Infinity, "-0": -0 };
const value = (number) => (typeof number === "string" ? WORDS[number] : number);

for (const { value: given, text } of table.numbers) {
  test(`${given} is written ${text}`, () => assert.equal(number(value(given)), text));
}

for (const { a, b, difference: expected } of table.differences) {
  test(`${a} - ${b} is ${expected}`, () => assert.equal(difference(value(a), value(b)), value(expected)));
}

const METHODS = { "at-least": "atLeast", "at-most": "atMost" };

function make({ kind, name, actual, limit, message, ...rest }) {
  const measured = name !== undefined;
  let made = measured
    ? check[METHODS[kind]]("only", name, value(actual), value(limit))
    : check[kind]("only", message);
  if (measured && message !== undefined) {
    made = made.message(message);
  }
  for (const [method, argument] of Object.entries(rest)) {
    made = made[method](argument);
  }
  return made;
}

for (const { case: title, make: given, expect } of table.checks) {
  test(title, () => {
    const policy = definePolicy({
      name: "only",
      version: "1.0.0",
      summary: "Makes one check.",
      params: { type: "object", additionalProperties: false },
      rules: { only: { title: "Only", description: "The only one." } },
      evaluate: () => [make(given)],
    });
    const [made] = policy.evaluate({}, evidence().build());
    const measure = expect.measure && { unit: undefined, ...expect.measure };
    const whole = { rule: "only", about: undefined, remedy: undefined, ...expect, measure };
    // -0 and 0 are the same measurement.
    const zero = (check) => JSON.parse(JSON.stringify(check));
    assert.deepEqual(zero(made), zero(whole));
  });
}
