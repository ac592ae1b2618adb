import * as host from "#security";

import { whole } from "../whole.js";

// In rising order.
export const SEVERITIES = Object.freeze(["unknown", "negligible", "low", "medium", "high", "critical"]);

export const scans = () =>
  host.scans().map((scan) => ({
    ...scan,
    finishedAt: whole(scan.finishedAt, `the end of the scan by \`${scan.scanner}\``),
    scanned: whole(scan.scanned, `what \`${scan.scanner}\` scanned`),
    skipped: whole(scan.skipped, `what \`${scan.scanner}\` skipped`),
  }));

export const findings = ({ atLeast = "unknown", category } = {}) =>
  category === undefined ? host.findings(atLeast) : host.findingsOf(category, atLeast);

export const compareSeverity = (a, b) => SEVERITIES.indexOf(a) - SEVERITIES.indexOf(b);

export function shortcoming({ errors, skipped, scanned }) {
  if (errors.length > 0) {
    const more = errors.length > 1 ? ` and ${errors.length - 1} more` : "";
    return `met an error: ${errors[0]}${more}`;
  }
  if (skipped > 0) {
    return `passed over ${skipped} files`;
  }
  return scanned === 0 ? "looked at nothing" : undefined;
}

export const label = ({ scanner, target }) => (target === undefined ? scanner : `${scanner} of \`${target}\``);
