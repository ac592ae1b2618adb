// The contract's functions over evidence in memory: what the modules of `imports/` are in a
// component.
import { now } from "./now.js";

const copies = (items) => items.map((item) => ({ ...item }));
const named = (metrics, name) => copies(metrics.filter((metric) => metric.name === name));

export const getRequest = () => ({ ...now().request });

export const getMetadata = () => ({ ...now().metadata });
export const tag = (key) => now().tags.get(key);
export const tags = () => [...now().tags];
export const card = () => copies(now().card);
export const artifacts = () => copies(now().artifacts);

export const candidate = () => copies(now().metrics);
export const candidateNamed = (name) => named(now().metrics, name);
export const baseline = () => copies(now().baseline);
export const baselineNamed = (name) => named(now().baseline, name);
export const unmeasured = (name) => now().unmeasured.get(name);

export const results = () => copies(now().tests);

export const usages = () => copies(now().usages);
export const forecasts = () => copies(now().forecasts);

export const scans = () => copies(now().scans);
export const findings = (atLeast) => copies(now().findings.filter((finding) => asked(finding, atLeast)));
export const findingsOf = (category, atLeast) =>
  findings(atLeast).filter((finding) => finding.category === category);

export const listApprovals = () => copies(now().approvals);

export const transitions = () => copies(now().transitions);
export const current = () => now().current;

export const listSources = () => copies(now().sources);

export const names = () => [...now().documents.keys()];
export const read = (name) => now().documents.get(name);

export const log = (level, message) => console.error(`${level}: ${message}`);

const RANKS = { unknown: 0, negligible: 1, low: 2, medium: 3, high: 4, critical: 5 };

/** The place of a severity in their order; an unknown word is a mistake of the test. */
export function rank(severity) {
  if (!Object.hasOwn(RANKS, severity)) {
    throw new TypeError(`\`${severity}\` is no severity; these are: ${Object.keys(RANKS).join(", ")}`);
  }
  return RANKS[severity];
}

// An unrated finding may be of any severity.
const asked = ({ severity }, atLeast) => rank(severity) >= rank(atLeast) || severity === "unknown";
