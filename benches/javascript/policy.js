// Holds each metric named in the params against a least value.
import { candidateNamed } from "lockgate:policy/metrics@1.0.0";

export function describe() {
  return {
    name: "least-value",
    version: "1.0.0",
    summary: "Holds metrics against least values.",
    rules: [
      {
        code: "least-value",
        title: "Metric high enough",
        description: "Every value of the metric is at least `min`. Fails when there is none.",
      },
    ],
    paramsSchema: JSON.stringify({
      type: "object",
      properties: {
        metrics: {
          type: "array",
          minItems: 1,
          items: {
            type: "object",
            properties: { name: { type: "string" }, min: { type: "number" } },
            required: ["name", "min"],
            additionalProperties: false,
          },
        },
      },
      required: ["metrics"],
      additionalProperties: false,
    }),
  };
}

export function evaluate(params) {
  return JSON.parse(params).metrics.flatMap(({ name, min }) => {
    const values = candidateNamed(name);
    if (values.length === 0) {
      return [check("fail", `\`${name}\` was not measured`)];
    }
    return values.map(({ value, dataset, slice }) => ({
      ...check(value >= min ? "pass" : "fail", `\`${name}\` is ${value}, at least ${min} is asked for`),
      about: [name, dataset, slice].filter(Boolean).join(" "),
      measure: { name, actual: value, limit: min, comparison: "at-least" },
    }));
  });
}

function check(outcome, message) {
  return { rule: "least-value", outcome, message };
}
