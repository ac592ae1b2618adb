// What the types of the SDK let through and what they do not; checked by tsc, never run.
import { check, definePolicy, metrics, refuse, Target, type CheckResult } from "../src/index.js";
import { evidence } from "../src/testing.js";

const policy = definePolicy({
  name: "floor",
  version: "1.0.0",
  summary: "Holds a metric above a floor.",
  params: {
    type: "object",
    properties: { metric: { type: "string" }, min: { type: "number" }, strict: { type: "boolean", default: true } },
    required: ["metric", "min"],
    additionalProperties: false,
  },
  rules: { floor: { title: "Above the floor", description: "The value is at least `min`." } },
  evaluate(params) {
    const metric: string = params.metric;
    const strict: boolean = params.strict;
    // @ts-expect-error a number is no text
    const wrong: string = params.min;
    // @ts-expect-error the schema has no such param
    params.max;
    if (strict && wrong === "") {
      refuse.params("no");
    }
    return metrics.candidate(metric).map((it) => check.atLeast("floor", it.name, it.value, params.min).unit("points"));
  },
});

definePolicy({
  name: "floor",
  version: "1.0.0",
  summary: "Names a rule that is not declared.",
  params: { type: "object", additionalProperties: false },
  rules: { floor: { title: "Above the floor", description: "The value is at least `min`." } },
  // @ts-expect-error the policy declares no such rule
  evaluate: () => [check.fail("flor", "no")],
});

const facts = evidence().metric("auc", 0.9, { slice: "region=eu" }).transition("1", Target.alias("champion"), 1).build();
const made: CheckResult[] = policy.evaluate({ metric: "auc", min: 0.9 }, facts);
// @ts-expect-error a severity of another name
evidence().finding("CVE-1", "vulnerability", "severe");
made.map(({ outcome }) => outcome);
// @ts-expect-error targets are made by `stage`, `alias` and `environment`
new Target("stage", "Production");
