import * as host from "#metrics";

import { whole } from "../whole.js";

export const candidate = (name) =>
  (name === undefined ? host.candidate() : host.candidateNamed(name)).map(counted);

export const baseline = (name) =>
  (name === undefined ? host.baseline() : host.baselineNamed(name)).map(counted);

export const unmeasured = (name) => host.unmeasured(name);

export function label({ name, dataset, slice }) {
  const where = [dataset, slice].filter((part) => part !== undefined);
  return where.length === 0 ? name : `${name} (${where.join(", ")})`;
}

function counted(metric) {
  return {
    ...metric,
    sampleSize: whole(metric.sampleSize, `the sample size of \`${metric.name}\``),
    recordedAt: whole(metric.recordedAt, `the time of \`${metric.name}\``),
  };
}
