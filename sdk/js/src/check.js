import { digits, numbers } from "./number.js";
import { oneLine } from "./text.js";

const RELATIONS = {
  "at-least": ["at least the required", "below the required"],
  "at-most": ["within the limit of", "over the limit of"],
};

const holds = ({ actual, limit, comparison }) =>
  comparison === "at-least" ? actual >= limit : actual <= limit;

// A measure in words.
function sentence(measure, unit) {
  const [actual, limit] = numbers(measure.actual, measure.limit);
  const relation = RELATIONS[measure.comparison][holds(measure) ? 0 : 1];
  const suffix = unit === undefined ? "" : ` ${unit}`;
  return `${measure.name} is ${actual}${suffix}, ${relation} ${limit}${suffix}`;
}

/** A check in the making: each method returns the same check, so that they can be chained. */
export class Check {
  #check;

  constructor(rule, outcome, message, measure) {
    this.#check = { rule, about: undefined, outcome, message: oneLine(message), measure, remedy: undefined };
  }

  about(about) {
    this.#check.about = oneLine(about);
    return this;
  }

  remedy(remedy) {
    const { outcome } = this.#check;
    if (outcome === "fail" || outcome === "warn") {
      this.#check.remedy = oneLine(typeof remedy === "function" ? remedy() : remedy);
    }
    return this;
  }

  unit(unit) {
    const { measure, message } = this.#check;
    if (measure !== undefined) {
      if (message === sentence(measure, measure.unit)) {
        this.#check.message = sentence(measure, unit);
      }
      measure.unit = String(unit);
    }
    return this;
  }

  message(message) {
    this.#check.message = oneLine(message);
    return this;
  }

  /** The check as the contract has it. */
  static finish(builder) {
    return { ...builder.#check };
  }
}

function measured(rule, name, actual, limit, comparison) {
  for (const value of [actual, limit]) {
    if (typeof value !== "number") {
      throw new TypeError(`\`${name}\` is compared with a ${typeof value}; give two numbers`);
    }
  }
  // The contract has no place for a measure that is not finite, and nothing that is not a number
  // is within a limit.
  if (!Number.isFinite(actual) || !Number.isFinite(limit)) {
    const message = `${name} is ${digits(actual)} against a limit of ${digits(limit)}: not comparable`;
    return new Check(rule, "fail", message);
  }
  const measure = { name: String(name), actual, limit, comparison, unit: undefined };
  return new Check(rule, holds(measure) ? "pass" : "fail", sentence(measure), measure);
}

export const check = {
  pass: (rule, message) => new Check(rule, "pass", message),
  fail: (rule, message) => new Check(rule, "fail", message),
  warn: (rule, message) => new Check(rule, "warn", message),
  skip: (rule, message) => new Check(rule, "skip", message),
  atLeast: (rule, name, actual, limit) => measured(rule, name, actual, limit, "at-least"),
  atMost: (rule, name, actual, limit) => measured(rule, name, actual, limit, "at-most"),
};
