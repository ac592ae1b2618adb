import { digits, numbers } from "./number.js";
import { authored, oneLine } from "./text.js";

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
    this.#check = { rule, about: undefined, outcome, message: undefined, measure, remedy: undefined };
    this.message(message);
  }

  about(about) {
    this.#check.about = oneLine(authored(about, "what a check is about"));
    return this;
  }

  remedy(remedy) {
    const { outcome } = this.#check;
    if (outcome === "fail" || outcome === "warn") {
      const text = typeof remedy === "function" ? remedy() : remedy;
      this.#check.remedy = oneLine(authored(text, "the remedy of a check"));
    }
    return this;
  }

  unit(unit) {
    authored(unit, "the unit of a check");
    const { measure, message } = this.#check;
    if (measure !== undefined) {
      if (message === sentence(measure, measure.unit)) {
        this.#check.message = sentence(measure, unit);
      }
      measure.unit = unit;
    }
    return this;
  }

  message(message) {
    this.#check.message = oneLine(authored(message, "the message of a check"));
    return this;
  }

  /** The check as the contract has it. */
  static finish(builder) {
    return { ...builder.#check };
  }
}

function measured(rule, name, actual, limit, comparison) {
  authored(name, "what a check measures");
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
  const measure = { name, actual, limit, comparison, unit: undefined };
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
