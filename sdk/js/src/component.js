// What a component exports, for the entry that the build writes. Not for use by hand.
import { Refusal, refuse } from "./refuse.js";

export function exported(policy) {
  if (typeof policy?.describe !== "function" || typeof policy?.evaluate !== "function") {
    throw new Error("the policy's source has no `export default definePolicy({ … })`");
  }
  return {
    describe: () => policy.describe(),
    evaluate(text) {
      try {
        return policy.evaluate(parse(text));
      } catch (error) {
        throw { payload: refusal(error) };
      }
    },
  };
}

/**
 * Takes clock and randomness from the component. The engine would keep both as they were at the build:
 * an age that is taken from such a clock never grows, and nobody would notice.
 */
export function stopClock() {
  const stopped = () => {
    throw new Error("a policy has no clock; the time is `promotion.request().at`");
  };
  Date.now = stopped;
  globalThis.Date = new Proxy(Date, {
    apply: stopped,
    construct: (date, values, target) => (values.length === 0 ? stopped() : Reflect.construct(date, values, target)),
  });
  Math.random = () => {
    throw new Error("a policy has no randomness: the same evidence gives the same checks");
  };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    return refuse.params(`the params are not JSON: ${error.message}`);
  }
}

// An error of the policy's own code would be a trap, which says nothing. As a refusal it leaves
// the decision just as undecided, and tells its author what happened.
function refusal(error) {
  if (error instanceof Refusal) {
    return { tag: error.kind, val: error.message };
  }
  return { tag: "evidence", val: `the policy failed: ${error}` };
}
