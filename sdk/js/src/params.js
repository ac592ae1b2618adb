import { Validator } from "@cfworker/json-schema";

import { refuse } from "./refuse.js";

/**
 * A reader of params for a JSON Schema. It is made once, when the policy is built: what it
 * prepares is part of the component.
 */
export function paramsReader(schema) {
  const validator = new Validator(schema, "2020-12", false);
  return (params) => {
    const { valid, errors } = validator.validate(params);
    if (!valid) {
      refuse.params(explain(errors));
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

// Params with the schema's defaults in place of what was left out.
function withDefaults(schema, value) {
  if (Array.isArray(value)) {
    return schema.items ? value.map((item) => withDefaults(schema.items, item)) : value;
  }
  if (typeof value !== "object" || value === null || !schema.properties) {
    return value;
  }
  const filled = { ...value };
  for (const [key, property] of Object.entries(schema.properties)) {
    if (Object.hasOwn(value, key)) {
      filled[key] = withDefaults(property, value[key]);
    } else if (property.default !== undefined) {
      filled[key] = copy(property.default);
    }
  }
  return filled;
}

const copy = (value) => JSON.parse(JSON.stringify(value));
