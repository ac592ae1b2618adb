import { demand } from "./demand.js";

// Keywords that hold schemas: of what is within a value, or further ones of the value itself.
const FILLED = ["properties", "additionalProperties", "items", "prefixItems"];
const WITHIN = ["patternProperties", "unevaluatedItems", "unevaluatedProperties", "$defs", "definitions"];
const SAME = ["allOf", "anyOf", "oneOf", "then", "else"];
// What these hold only tells values apart.
const CONDITIONS = ["if", "not", "contains", "propertyNames", "dependentSchemas"];

const BY_NAME = ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"];

/**
 * Demands of the schema of params what keeps a limit a limit, and gives its properties that have a
 * default, each with its place.
 *
 * No object with `properties` may take unknown keys, and no default may stand where it would not be
 * filled in: a comparison with a limit that is not there is false, and passes in silence.
 */
export function checked(schema) {
  const defaults = [];
  walk(schema, { place: "", isFilled: true, isProperty: false, isClosed: false }, defaults);
  return defaults;
}

/**
 * @param at where the schema is: its place for messages; whether defaults of what is within are
 * filled in; whether it is that of a property; whether unknown keys are refused next to it
 */
function walk(schema, at, defaults) {
  if (!isSchema(schema)) {
    return;
  }
  const { place } = at;
  if (schema.default !== undefined) {
    demand(
      at.isProperty,
      `the default of ${place ? `\`${place}\`` : "the params"} would not be filled in, which takes \`properties\` ` +
        `outside of \`anyOf\`, \`$defs\` and the like; take it out, and let \`evaluate\` see to it`,
    );
    defaults.push({ place, schema });
  }
  const isClosed = at.isClosed || schema.additionalProperties === false || isSchema(schema.additionalProperties);
  demand(
    isClosed || schema.properties === undefined,
    `the params take unknown keys${place && ` in \`${place}\``}, so that a mistyped limit would be no limit; ` +
      "add `additionalProperties: false` to their schema",
  );
  for (const keyword of FILLED) {
    const isFilled = at.isFilled && fills(schema, keyword);
    parts(schema, keyword, place, (part, place) =>
      walk(part, { place, isFilled, isProperty: isFilled && keyword === "properties", isClosed: false }, defaults),
    );
  }
  const unfilled = { isFilled: false, isProperty: false };
  for (const [keywords, closed] of [[WITHIN, false], [SAME, isClosed], [CONDITIONS, true]]) {
    for (const keyword of keywords) {
      parts(schema, keyword, place, (part, place) => walk(part, { ...unfilled, place, isClosed: closed }, defaults));
    }
  }
}

function parts(schema, keyword, place, visit) {
  const held = schema[keyword];
  if (BY_NAME.includes(keyword)) {
    for (const [name, part] of Object.entries(held ?? {})) {
      visit(part, place ? `${place}.${name}` : name);
    }
    return;
  }
  const within = { items: "[]", prefixItems: "[]", additionalProperties: place ? ".*" : "*" }[keyword] ?? "";
  for (const part of Array.isArray(held) ? held : [held]) {
    visit(part, place + within);
  }
}

/** A value with the schema's defaults in place of what was left out. */
export function withDefaults(schema, value) {
  if (!isSchema(schema)) {
    return value;
  }
  if (Array.isArray(value)) {
    const { prefixItems = [], items } = schema;
    return value.map((item, index) => withDefaults(index < prefixItems.length ? prefixItems[index] : items, item));
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const { properties = {} } = schema;
  const others = fills(schema, "additionalProperties") ? schema.additionalProperties : undefined;
  const filled = Object.entries(value).map(([key, item]) => [
    key,
    withDefaults(Object.hasOwn(properties, key) ? properties[key] : others, item),
  ]);
  for (const [key, property] of Object.entries(properties)) {
    if (!Object.hasOwn(value, key) && property.default !== undefined) {
      filled.push([key, defaultOf(property)]);
    }
  }
  return Object.fromEntries(filled);
}

/** The default of a property, itself with what it leaves out. */
export const defaultOf = (property) => withDefaults(property, JSON.parse(JSON.stringify(property.default)));

// A key that fits a pattern has no other schema, and patterns are left to the validator.
const fills = (schema, keyword) => keyword !== "additionalProperties" || schema.patternProperties === undefined;

const isSchema = (schema) => typeof schema === "object" && schema !== null && !Array.isArray(schema);
