import { dereference, validate } from "@cfworker/json-schema";

import { demand } from "./demand.js";
import { refuse } from "./refuse.js";
import { checked, defaultOf, withDefaults } from "./schema.js";

/**
 * A reader of params for a JSON Schema. It is made once, when the policy is built: what it
 * prepares is part of the component.
 */
export function paramsReader(schema) {
  const defaults = checked(schema);
  const lookup = dereference(schema);
  const problem = (value, part) => {
    const { valid, errors } = validate(value, part, "2020-12", lookup, false);
    return valid ? undefined : explain(errors);
  };
  for (const { place, schema: property } of defaults) {
    const unfit = problem(defaultOf(property), property);
    demand(unfit === undefined, `the default of \`${place}\` does not fit its schema: ${unfit}`);
  }
  return (params) => {
    const unfit = problem(params, schema);
    if (unfit !== undefined) {
      refuse.params(unfit);
    }
    return withDefaults(schema, params);
  };
}

// The validator also lists each keyword above the one that is broken, which says nothing new:
// the deepest place tells what is wrong.
function explain(errors) {
  const depth = (error) => error.instanceLocation.split("/").length;
  const deepest = errors.reduce((a, b) => (depth(b) > depth(a) ? b : a));
  const place = deepest.instanceLocation
    .split("/")
    .slice(1)
    .map((part) => decodeURI(part).replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path ? `${path}.${part}` : part), "");
  return place ? `\`${place}\`: ${words(deepest)}` : words(deepest);
}

function words({ keyword, error }) {
  if (keyword === "false") {
    return "unknown key; the schema has no such param";
  }
  return error.replaceAll('"', "`").replace(/\.$/, "").replace(/^./, (first) => first.toLowerCase());
}
