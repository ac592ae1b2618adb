import assert from "node:assert/strict";
import { test } from "node:test";

import { check, definePolicy, documents, history, metrics, model, promotion, refuse, security, Target } from "../src/index.js";
import { exported } from "../src/component.js";
import { evidence } from "../src/testing.js";
import { whole } from "../src/whole.js";

const LIMIT = {
  type: "object",
  properties: {
    name: { type: "string" },
    min: { type: "number", minimum: 0, maximum: 1 },
    "allow-partial": { type: "boolean", default: false },
  },
  required: ["name", "min"],
  additionalProperties: false,
};

const DEFINITION = {
  name: "floor",
  version: "1.0.0",
  summary: "Holds metrics above a floor.",
  params: {
    type: "object",
    properties: { metrics: { type: "array", minItems: 1, items: LIMIT } },
    required: ["metrics"],
    additionalProperties: false,
  },
  rules: { floor: { title: "Above the floor", description: "The value is at least `min`." } },
  evaluate: (params) =>
    params.metrics.flatMap(({ name, min }) =>
      metrics.candidate(name).map((metric) => check.atLeast("floor", metrics.label(metric), metric.value, min)),
    ),
};

const define = (changes) => definePolicy({ ...DEFINITION, ...changes });
const judging = (evaluate) => define({ evaluate });
const PARAMS = { metrics: [{ name: "auc", min: 0.9 }] };
const EMPTY = evidence().build();

test("judges the evidence it is given", () => {
  const facts = evidence().metric("auc", 0.93).metric("auc", 0.8, { slice: "region=eu" }).metric("f1", 0.1).build();
  const outcomes = define({}).evaluate(PARAMS, facts).map(({ outcome, message }) => [outcome, message]);
  assert.deepEqual(outcomes, [
    ["pass", "auc is 0.93, at least the required 0.9"],
    ["fail", "auc (region=eu) is 0.8, below the required 0.9"],
  ]);
});

test("describes itself", () => {
  const { paramsSchema, ...description } = define({}).describe();
  assert.deepEqual(description, {
    name: "floor",
    version: "1.0.0",
    summary: "Holds metrics above a floor.",
    rules: [{ code: "floor", title: "Above the floor", description: "The value is at least `min`." }],
  });
  assert.deepEqual(JSON.parse(paramsSchema), DEFINITION.params);
});

test("refuses params that do not fit, and says where", () => {
  const judged = judging(() => assert.fail("the author's code was called"));
  for (const [params, place] of [
    [{}, /`metrics`/],
    [{ metrics: [] }, /^`metrics`: /],
    [{ metrics: [{ name: "auc", min: 2 }] }, /^`metrics\[0\]\.min`: 2 is greater than 1/],
    [{ metrics: [{ name: "auc", min: "2" }] }, /^`metrics\[0\]\.min`: instance type `string` is invalid/],
    [{ metrics: [{ name: "auc", minn: 0.5, min: 0.5 }] }, /^`metrics\[0\]\.minn`: unknown key/],
    [[], /type `array` is invalid/],
    [null, /type `null` is invalid/],
  ]) {
    const refused = { name: "Refusal", kind: "params", message: place };
    assert.throws(() => judged.evaluate(params, EMPTY), refused, JSON.stringify(params));
  }
});

test("fills in the defaults of the schema", () => {
  let seen;
  judging((params) => [check.pass("floor", (seen = JSON.stringify(params)))]).evaluate(PARAMS, EMPTY);
  assert.deepEqual(JSON.parse(seen), { metrics: [{ name: "auc", min: 0.9, "allow-partial": false }] });
});

const schema = (changes) => ({ type: "object", additionalProperties: false, ...changes });
const withParams = (properties, rest) => define({ params: schema({ properties, ...rest }) });

test("fills in defaults wherever a schema may have them", () => {
  const limit = schema({ properties: { max: { type: "number", default: 7 } } });
  const params = schema({
    properties: {
      list: { type: "array", prefixItems: [{ type: "string" }], items: limit },
      byName: { type: "object", properties: { all: limit }, additionalProperties: limit },
      left: { ...limit, default: {} },
    },
  });
  let seen;
  const judged = define({ params, evaluate: (params) => ((seen = params), []) });
  judged.evaluate(JSON.parse('{"list": ["a", {}], "byName": {"all": {}, "other": {}, "__proto__": {}}}'), EMPTY);
  assert.deepEqual(seen.list, ["a", { max: 7 }]);
  assert.deepEqual(Object.entries(seen.byName), [["all", { max: 7 }], ["other", { max: 7 }], ["__proto__", { max: 7 }]]);
  assert.deepEqual(seen.left, { max: 7 });
  seen.left.max = 8;
  judged.evaluate({}, EMPTY);
  assert.deepEqual(seen, { left: { max: 7 } });
});

test("takes no schema in which a mistyped limit would be no limit", () => {
  const open = { type: "object", properties: { max: { type: "number" } } };
  for (const [properties, place] of [
    [{ metrics: { type: "array", items: open } }, "`metrics[]`"],
    [{ metrics: { type: "array", prefixItems: [open] } }, "`metrics[]`"],
    [{ a: { type: "object", additionalProperties: open } }, "`a.*`"],
    [{ a: { anyOf: [{ type: "null" }, open] } }, "`a`"],
    [{ a: schema({ properties: { b: open } }) }, "`a.b`"],
    [{ a: { ...open, additionalProperties: true } }, "`a`"],
  ]) {
    const message = `the params take unknown keys in ${place}, `;
    assert.throws(() => withParams(properties), (error) => error.message.startsWith(message), place);
  }
  assert.throws(() => withParams({}, { $defs: { limit: open } }), /unknown keys in `limit`/);
  // Unknown keys are refused by what these are parts of.
  const a = { ...open, additionalProperties: false, anyOf: [{ properties: { max: { minimum: 1 } } }] };
  withParams({ a, b: { type: "array", items: {}, contains: open }, c: { type: "object", additionalProperties: {} } });
});

test("takes no default that would not be filled in", () => {
  const max = { type: "number", default: 7 };
  const limit = schema({ properties: { max } });
  for (const [properties, place] of [
    [{ a: { anyOf: [limit, { type: "null" }] } }, "`a.max`"],
    [{ a: { type: "object", patternProperties: { "^x": limit } } }, "`a.^x.max`"],
    [{ a: { type: "object", patternProperties: { "^x": {} }, additionalProperties: limit } }, "`a.*.max`"],
    [{ a: { type: "array", items: max } }, "`a[]`"],
    [{ a: { type: "object", additionalProperties: max } }, "`a.*`"],
  ]) {
    const message = `the default of ${place} would not be filled in`;
    assert.throws(() => withParams(properties), (error) => error.message.startsWith(message), place);
  }
  assert.throws(() => withParams({ a: { $ref: "#/$defs/limit" } }, { $defs: { limit } }), /default of `limit.max`/);
  assert.throws(() => withParams({}, { default: {} }), /default of the params/);
});

test("takes no default that does not fit", () => {
  assert.throws(() => withParams({ max: { type: "number", default: "7" } }), /default of `max` does not fit.*`string`/);
  const a = { ...schema({ properties: { max: { type: "number" } }, required: ["max"] }), default: {} };
  assert.throws(() => withParams({ a }), /default of `a` does not fit.*`max`/);
});

test("takes no check of a rule that is not declared", () => {
  const judged = judging(() => [check.pass("flor", "fine")]);
  assert.throws(() => judged.evaluate(PARAMS, EMPTY), /`flor`.*its rules are `floor`/);
});

test("takes nothing but checks", () => {
  for (const answer of [undefined, check.pass("floor", "fine"), [{ rule: "floor", outcome: "pass" }], [undefined]]) {
    assert.throws(() => judging(() => answer).evaluate(PARAMS, EMPTY), /checks/);
  }
});

test("compares numbers and nothing else", () => {
  assert.throws(() => check.atLeast("floor", "auc", "0.95", 0.9), /compared with a string/);
  assert.throws(() => check.atLeast("floor", "auc", 0.95, undefined), /compared with a undefined/);
});

test("takes text and nothing else for words", () => {
  const failed = () => check.fail("floor", "no");
  for (const make of [
    () => failed().about(undefined),
    () => failed().about(7),
    () => failed().remedy(undefined),
    () => failed().remedy(() => null),
    () => failed().unit(null),
    () => check.fail("floor", undefined),
    () => check.atLeast("floor", undefined, 1, 2),
  ]) {
    assert.throws(make, { name: "TypeError", message: /give text$/ }, String(make));
  }
});

test("rejects a definition that no host would take", () => {
  for (const [changes, message] of [
    [{ name: "My Policy" }, /kebab-case/],
    [{ version: "1" }, /SemVer/],
    [{ summary: " " }, /summary/],
    [{ params: { type: "array" } }, /JSON Schema/],
    [{ params: { type: "object" } }, /additionalProperties/],
    [{ rules: {} }, /at least one/],
    [{ rules: { Floor: DEFINITION.rules.floor } }, /`Floor`/],
    [{ rules: { floor: { title: "Floor" } } }, /`floor` lacks/],
    [{ evaluate: undefined }, /no function `evaluate`/],
  ]) {
    assert.throws(() => define(changes), message);
  }
});

test("has no evidence outside of an evaluation", () => {
  define({}).evaluate(PARAMS, EMPTY);
  assert.throws(() => metrics.candidate(), /no evidence here/);
});

test("gives findings worst first, and never leaves out unrated ones", () => {
  let ids;
  const facts = evidence()
    .finding("low", "vulnerability", "low")
    .finding("unrated", "vulnerability", "unknown")
    .finding("secret", "secret", "critical")
    .finding("critical", "vulnerability", "critical")
    .build();
  judging(() => {
    ids = security.findings({ atLeast: "high", category: "vulnerability" }).map(({ id }) => id);
    return [];
  }).evaluate(PARAMS, facts);
  assert.deepEqual(ids, ["critical", "unrated"]);
});

test("gives everything in the order of the contract", () => {
  const facts = evidence()
    .metric("b", 1)
    .metric("a", 1, { slice: "x" })
    .metric("a", 2)
    .tag("z", "1")
    .tag("a", "2")
    .transition("2", Target.alias("champion"), 20)
    .transition("1", Target.stage("Staging"), 10)
    .document("y", { a: 1 })
    .at(42)
    .build();
  judging(() => {
    assert.deepEqual(metrics.candidate().map(({ name, value }) => [name, value]), [["a", 2], ["a", 1], ["b", 1]]);
    assert.deepEqual([...model.tags().keys()], ["a", "z"]);
    assert.deepEqual(history.transitions().map(({ version }) => version), ["1", "2"]);
    assert.equal(`${history.transitions()[1].target}`, "alias:champion");
    assert.equal(documents.read("y"), '{"a":1}');
    assert.equal(documents.read("x"), undefined);
    assert.equal(promotion.request().at, 42);
    assert.equal(`${promotion.request().target}`, "stage:Production");
    return [];
  }).evaluate(PARAMS, facts);
});

test("says why a scan is not whole", () => {
  const scan = { scanner: "trivy", errors: [], skipped: 0, scanned: 3 };
  assert.equal(security.shortcoming(scan), undefined);
  assert.match(security.shortcoming({ ...scan, errors: ["a", "b"] }), /a and 1 more/);
  assert.match(security.shortcoming({ ...scan, skipped: 3 }), /passed over 3 files/);
  assert.match(security.shortcoming({ ...scan, scanned: 0 }), /looked at nothing/);
});

test("refuses a whole number that a number cannot hold", () => {
  assert.equal(whole(9007199254740991n, "it"), 9007199254740991);
  assert.equal(whole(undefined, "it"), undefined);
  assert.throws(() => whole(9007199254740993n, "it"), { kind: "evidence", message: /it is 9007199254740993/ });
});

test("a component answers with refusals instead of traps", () => {
  const refusal = (policy, params) => {
    try {
      return assert.fail(JSON.stringify(exported(policy).evaluate(params)));
    } catch ({ payload }) {
      return payload;
    }
  };
  const text = JSON.stringify(PARAMS);
  assert.equal(refusal(define({}), "{").tag, "params");
  assert.equal(refusal(define({}), "{}").tag, "params");
  const refusing = judging(() => refuse.evidence("mixed\ncurrencies"));
  assert.deepEqual(refusal(refusing, text), { tag: "evidence", val: "mixed currencies" });
  const broken = judging((params) => params.metrics.nothing.there);
  assert.match(refusal(broken, text).val, /^the policy failed: TypeError/);
  assert.throws(() => exported(undefined), /export default definePolicy/);
});
