import { check, definePolicy, metrics } from "lockgate-sdk";

export default definePolicy({
  name: "{{name}}",
  version: "0.1.0",
  summary: "Holds a metric at or above a floor on every slice of the data.",

  // What a gate gives the policy, as JSON Schema. It is held against it before `evaluate` is called.
  params: {
    type: "object",
    properties: {
      metric: { type: "string", minLength: 1, description: "Name of the metric." },
      min: { type: "number", description: "The least value that passes, on each slice." },
    },
    required: ["metric", "min"],
    additionalProperties: false,
    examples: [{ metric: "recall", min: 0.8 }],
  },

  // What the policy checks. A check cannot name any other rule.
  rules: {
    floor: {
      title: "Every slice above the floor",
      description:
        "The metric is at least `min` on every slice of the data that it was measured on. Fails for a slice that " +
        "was only evaluated in part, and when there is no slice at all.",
    },
  },

  evaluate({ metric, min }) {
    const slices = metrics.candidate(metric).filter(({ slice }) => slice !== undefined);
    // Absent is not clean: what nobody measured has not passed.
    if (slices.length === 0) {
      return [check.fail("floor", `${metric} was measured on no slice`).about(metric)];
    }
    return slices.map((measured) => judge(measured, min));
  },
});

/** The check of one slice. */
function judge(measured, min) {
  const label = metrics.label(measured);
  const made = measured.partial
    ? check.fail("floor", `${label} was only evaluated in part`)
    : check.atLeast("floor", label, measured.value, min);
  return made.about(measured.slice).remedy("train on more data of this slice");
}
