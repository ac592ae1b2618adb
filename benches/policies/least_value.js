// A policy in JavaScript, to measure what its engine costs.
import { check, definePolicy, metrics } from "lockgate-sdk";

export default definePolicy({
  name: "least-value",
  version: "0.1.0",
  summary: "Holds metrics at or above least values.",
  params: {
    type: "object",
    properties: {
      metrics: {
        type: "array",
        minItems: 1,
        description: "The metrics.",
        items: {
          type: "object",
          properties: {
            name: { type: "string", description: "Name of the metric." },
            min: { type: "number", description: "The least value that passes." },
          },
          required: ["name", "min"],
          additionalProperties: false,
        },
      },
    },
    required: ["metrics"],
    additionalProperties: false,
  },
  rules: {
    "least-value": {
      title: "At least a value",
      description: "Every value of the metric is at least `min`. Fails when there is none.",
    },
  },
  evaluate: (params) =>
    params.metrics.flatMap(({ name, min }) => {
      const values = metrics.candidate(name);
      if (values.length === 0) {
        return [check.fail("least-value", `\`${name}\` was not measured`).about(name)];
      }
      return values.map((metric) => {
        const label = metrics.label(metric);
        return check.atLeast("least-value", label, metric.value, min).about(label);
      });
    }),
});
