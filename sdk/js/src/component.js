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
