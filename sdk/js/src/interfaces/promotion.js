import { getRequest } from "#promotion";

import { Target } from "../target.js";
import { whole } from "../whole.js";

export function request() {
  const { source, target, at, ...rest } = getRequest();
  return {
    ...rest,
    source: source && Target.from(source),
    target: Target.from(target),
    at: whole(at, "the evaluation time"),
  };
}
