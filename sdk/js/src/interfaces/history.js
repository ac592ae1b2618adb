import * as host from "#history";

import { Target } from "../target.js";
import { whole } from "../whole.js";

export const transitions = () =>
  host.transitions().map((transition) => ({
    ...transition,
    target: Target.from(transition.target),
    at: whole(transition.at, `the time of the transition of version \`${transition.version}\``),
  }));

export const current = () => host.current();
