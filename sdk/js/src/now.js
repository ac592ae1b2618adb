// The evidence of the evaluation that is under way, where the host holds none: in unit tests.
let facts;

/** Calls `judge` with this evidence to be read. */
export function during(evidence, judge) {
  const before = facts;
  facts = evidence;
  try {
    return judge();
  } finally {
    facts = before;
  }
}

export function now() {
  if (facts === undefined) {
    throw new Error(
      "there is no evidence here; in a test, give it to `policy.evaluate(params, evidence().build())`",
    );
  }
  return facts;
}
