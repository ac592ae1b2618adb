import assert from "node:assert/strict";
import { test } from "node:test";

import { evidence } from "lockgate-sdk/testing";

import policy from "./policy.js";

const PARAMS = { metric: "recall", min: 0.8 };

const judged = (facts) => policy.evaluate(PARAMS, facts.build()).map(({ outcome }) => outcome);

test("each slice is judged by itself", () => {
  const facts = evidence()
    .metric("recall", 0.8, { slice: "region=eu" })
    .metric("recall", 0.79, { slice: "region=us" });
  assert.deepEqual(judged(facts), ["pass", "fail"]);
});

test("part of a slice is not enough", () => {
  assert.deepEqual(judged(evidence().metric("recall", 0.9, { slice: "region=eu", partial: true })), ["fail"]);
});

test("what nobody measured fails", () => {
  assert.deepEqual(judged(evidence()), ["fail"]);
  assert.deepEqual(judged(evidence().metric("recall", 0.9)), ["fail"]);
});

test("a mistyped limit is refused", () => {
  const refused = { name: "Refusal", kind: "params" };
  assert.throws(() => policy.evaluate({ metric: "recall", mni: 0.8 }, evidence().build()), refused);
});
