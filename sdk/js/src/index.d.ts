/**
 * Write lockgate policies in JavaScript or TypeScript.
 *
 * A policy is a function from params to checks. It reads its evidence through `metrics`, `model`
 * and the other modules below; `reads` of its `policy.yaml` has to name each that it uses.
 *
 * A time is a number of seconds since the Unix epoch. A number in the evidence is always finite.
 * `undefined` means "not known", never "zero" or "clean". The contract's whole numbers have 64
 * bits; one that a number cannot hold exactly makes the policy refuse to judge.
 *
 * @module
 */

// ---------------------------------------------------------------- The policy

/** What a rule checks; its key in `rules` is its code, in kebab-case. */
export interface RuleText {
  /** A few words. */
  title: string;
  /** What is checked and when it fails. */
  description: string;
}

/** JSON Schema (2020-12). */
export interface Schema {
  readonly type?: SchemaType | readonly SchemaType[];
  readonly properties?: { readonly [key: string]: Schema };
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: boolean | Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly [keyword: string]: unknown;
}

export type SchemaType = "string" | "number" | "integer" | "boolean" | "null" | "array" | "object";

/** JSON Schema of the params: an object without unknown keys. */
export interface ParamsSchema extends Schema {
  readonly type: "object";
  readonly additionalProperties: false;
}

/** The type of what fits a schema, as far as `type`, `enum`, `const` and what they hold tell. */
export type FromSchema<S> = S extends { readonly const: infer Constant }
  ? Constant
  : S extends { readonly enum: readonly (infer Word)[] }
    ? Word
    : S extends { readonly type: readonly (infer Kind)[] }
      ? FromType<Kind, S>
      : S extends { readonly type: infer Kind }
        ? FromType<Kind, S>
        : unknown;

type FromType<Kind, S> = Kind extends "string"
  ? string
  : Kind extends "number" | "integer"
    ? number
    : Kind extends "boolean"
      ? boolean
      : Kind extends "null"
        ? null
        : Kind extends "array"
          ? S extends { readonly items: infer Items }
            ? FromSchema<Items>[]
            : unknown[]
          : S extends { readonly properties: infer Properties }
            ? FromProperties<Properties, S>
            : S extends { readonly additionalProperties: infer Values extends Schema }
              ? { [key: string]: FromSchema<Values> }
              : { [key: string]: unknown };

/** A property is there when it is required, or has a default that is filled in. */
type IsThere<Key, Property, S> = Property extends { readonly default: unknown }
  ? true
  : S extends { readonly required: readonly (infer Required)[] }
    ? Key extends Required
      ? true
      : false
    : false;

type FromProperties<Properties, S> = {
  [Key in keyof Properties as IsThere<Key, Properties[Key], S> extends true ? Key : never]: FromSchema<Properties[Key]>;
} & {
  [Key in keyof Properties as IsThere<Key, Properties[Key], S> extends true ? never : Key]?: FromSchema<Properties[Key]>;
};

export interface Definition<Params extends ParamsSchema, Code extends string> {
  /** Name of the policy in kebab-case. */
  name: string;
  /** Version of the policy (SemVer). */
  version: string;
  /** One line. */
  summary: string;
  /**
   * JSON Schema of the params. They are held against it, and its defaults filled in, before
   * `evaluate` is called. A `description` of each property is what users of the policy read.
   */
  params: Params;
  /** What the policy checks. A check cannot name any other rule. */
  rules: Record<Code, RuleText>;
  /** Every check made, passed ones too. */
  evaluate(params: FromSchema<Params>): Check<NoInfer<Code>>[];
}

export interface Policy {
  /** What the policy says of itself. */
  describe(): Description;
  /**
   * The checks that the policy makes on this evidence, which `evidence()` of
   * `lockgate-sdk/testing` builds. The params are written as in a gate, and held against their
   * schema.
   *
   * @throws {Refusal} when it cannot judge, or the params do not fit.
   */
  evaluate(params: unknown, evidence: object): CheckResult[];
}

/** Defines the policy; the policy's source exports it as its default. */
export function definePolicy<const Params extends ParamsSchema, Code extends string>(
  definition: Definition<Params, Code>,
): Policy;

export interface Description {
  name: string;
  version: string;
  summary: string;
  rules: ({ code: string } & RuleText)[];
  /** JSON Schema of the params, as text. */
  paramsSchema: string;
}

// ---------------------------------------------------------------- Checks

export type Outcome = "pass" | "fail" | "warn" | "skip";

/** What was measured against what. */
export interface Measure {
  name: string;
  actual: number;
  limit: number;
  comparison: "at-least" | "at-most";
  unit: string | undefined;
}

/** The result of one rule, as `policy.evaluate` returns it. */
export interface CheckResult {
  rule: string;
  about: string | undefined;
  outcome: Outcome;
  message: string;
  measure: Measure | undefined;
  remedy: string | undefined;
}

/** A check in the making; each method returns the same check. */
export interface Check<Code extends string = string> {
  /** Which of several things the check is about; a waiver can name it, so make it stable. */
  about(about: string): this;
  /** What to do about it; dropped when the check passed. A function is only called when needed. */
  remedy(remedy: string | (() => string)): this;
  /** Unit of the measured value and its limit (`USD`); also told in the message. */
  unit(unit: string): this;
  /** Another message than the one that `atLeast` and `atMost` write. */
  message(message: string): this;
  /** Only there for the type checker. */
  readonly __rule?: Code;
}

export const check: {
  /** The rule holds. */
  pass<const Code extends string>(rule: Code, message: string): Check<Code>;
  /** The rule is broken. */
  fail<const Code extends string>(rule: Code, message: string): Check<Code>;
  /** The rule holds, narrowly or with a remark. */
  warn<const Code extends string>(rule: Code, message: string): Check<Code>;
  /** The rule does not apply. A policy whose every check is skipped has checked nothing. */
  skip<const Code extends string>(rule: Code, message: string): Check<Code>;
  /** Passes when `actual` is `limit` or more. A number that is not finite fails. */
  atLeast<const Code extends string>(rule: Code, name: string, actual: number, limit: number): Check<Code>;
  /** Passes when `actual` is `limit` or less. A number that is not finite fails. */
  atMost<const Code extends string>(rule: Code, name: string, actual: number, limit: number): Check<Code>;
};

// ---------------------------------------------------------------- Refusals

/** Why a policy could not judge. Counts as undecided, never as a pass. */
export class Refusal extends Error {
  constructor(kind: "params" | "evidence", message: string);
  readonly kind: "params" | "evidence";
}

export const refuse: {
  /** The params make no sense, though they fit the schema. Throws. */
  params(message: string): never;
  /** The evidence is missing, contradictory or not of a kind that it can judge. Throws. */
  evidence(message: string): never;
};

// ---------------------------------------------------------------- Numbers

/** `a - b` without the noise of binary fractions: `difference(0.95, 0.94)` is 0.01. */
export function difference(a: number, b: number): number;
/** `value` rounded to twelve significant digits of `scale`, the largest number it came from. */
export function tidy(value: number, scale: number): number;
/** A number for people: six significant digits, no trailing zeros. */
export function number(value: number): string;

// ---------------------------------------------------------------- Evidence

/** Where a version is to go, or comes from. As text it is `stage:Production`. */
export class Target {
  static stage(name: string): Target;
  static alias(name: string): Target;
  static environment(name: string): Target;
  readonly kind: "stage" | "alias" | "environment";
  readonly name: string;
  toString(): string;
}

export interface ModelVersion {
  registry: string;
  model: string;
  version: string;
  digest: string | undefined;
}

export interface Request {
  subject: ModelVersion;
  /** Where the version is now. */
  source: Target | undefined;
  target: Target;
  requestedBy: string | undefined;
  /** The evaluation time; the only clock a policy has. */
  at: number;
}

/** What is asked for. */
export namespace promotion {
  function request(): Request;
}

export interface Metadata {
  owner: string | undefined;
  license: string | undefined;
  framework: string | undefined;
  description: string | undefined;
  createdAt: number | undefined;
  sourceRun: string | undefined;
  sourceCommit: string | undefined;
  trainingDataset: string | undefined;
}

export interface CardSection {
  name: string;
  text: string;
}

export interface Artifact {
  path: string;
  format: string | undefined;
  size: number | undefined;
  digest: string | undefined;
}

/** What is known of the model version itself. */
export namespace model {
  function metadata(): Metadata;
  /** Value of one tag; undefined when the version does not carry it. */
  function tag(key: string): string | undefined;
  /** All tags, ordered by key. */
  function tags(): Map<string, string>;
  /** Sections of the model card in their order; empty when there is no card. */
  function card(): CardSection[];
  function artifacts(): Artifact[];
}

export interface Metric {
  name: string;
  value: number;
  /** Dataset it was measured on. */
  dataset: string | undefined;
  /** Data slice ("region=eu"); undefined for the whole dataset. */
  slice: string | undefined;
  sampleSize: number | undefined;
  standardError: number | undefined;
  higherIsBetter: boolean | undefined;
  /** True when only part of the dataset was evaluated. */
  partial: boolean;
  recordedAt: number | undefined;
}

/** Evaluation metrics of the candidate and of what it would replace. */
export namespace metrics {
  /** Metrics of the version that asks, all of them or those of one name. */
  function candidate(name?: string): Metric[];
  /** Metrics of the version it would replace; empty when there is none or they were not given. */
  function baseline(name?: string): Metric[];
  /** Why a metric that a source names has no value; undefined when no source names it at all. */
  function unmeasured(name: string): string | undefined;
  /** A metric's name for people, with dataset and slice: `auc (validation, region=eu)`. */
  function label(metric: Pick<Metric, "name" | "dataset" | "slice">): string;
}

export type TestStatus = "pass" | "warn" | "fail" | "error" | "skipped";

export interface Test {
  suite: string;
  name: string;
  status: TestStatus;
  critical: boolean;
  message: string | undefined;
}

/** Results of test suites run elsewhere. */
export namespace tests {
  function results(): Test[];
}

export type Purpose = "training" | "tuning" | "evaluation" | "serving" | "other";

export interface Usage {
  purpose: Purpose;
  gpuModel: string | undefined;
  gpuHours: number | undefined;
  /** Mean utilisation, 0 to 1. */
  utilization: number | undefined;
  amount: number | undefined;
  /** ISO 4217 code of `amount`. */
  currency: string | undefined;
  startedAt: number | undefined;
  endedAt: number | undefined;
}

export interface Forecast {
  /** What the amount is for ("per 1k requests"). */
  metric: string;
  amount: number;
  currency: string;
}

/** What the GPUs have cost, and what serving is expected to cost. */
export namespace cost {
  function usages(): Usage[];
  function forecasts(): Forecast[];
}

export type Severity = "unknown" | "negligible" | "low" | "medium" | "high" | "critical";
export type Category = "vulnerability" | "unsafe-code" | "secret" | "misconfiguration" | "license" | "other";
export type Exploitability = "affected" | "not-affected" | "fixed" | "under-investigation" | "unstated";

export interface Scan {
  scanner: string;
  version: string | undefined;
  target: string | undefined;
  targetDigest: string | undefined;
  finishedAt: number | undefined;
  /** Number of files or packages looked at. */
  scanned: number | undefined;
  /** No finding outside these means nothing. */
  lookedFor: Category[];
  /** Number of files passed over. Not the same as clean. */
  skipped: number;
  errors: string[];
}

export interface Finding {
  scanner: string;
  id: string;
  category: Category;
  severity: Severity;
  title: string;
  component: string | undefined;
  installed: string | undefined;
  fixedIn: string | undefined;
  location: string | undefined;
  exploitability: Exploitability;
}

/** Security scans of the artifacts, the image and the dependencies. */
export namespace security {
  /** In rising order. */
  const SEVERITIES: readonly Severity[];
  function scans(): Scan[];
  /**
   * Findings of at least this severity, worst first, and every unrated one: a finding of unknown
   * severity may be of any. A policy pays for the findings that it is handed.
   */
  function findings(which?: { atLeast?: Severity; category?: Category }): Finding[];
  /** Below zero when `a` is less severe than `b`. */
  function compareSeverity(a: Severity, b: Severity): number;
  /** Why finding nothing in this scan would not mean clean; undefined when it went through. */
  function shortcoming(scan: Scan): string | undefined;
  /** The scanner and what it scanned, for people. */
  function label(scan: Pick<Scan, "scanner" | "target">): string;
}

export interface Approval {
  approver: string;
  role: string | undefined;
  at: number;
  reference: string | undefined;
}

/** Who has agreed. */
export namespace approvals {
  function all(): Approval[];
}

export interface Transition {
  version: string;
  target: Target;
  at: number;
  by: string | undefined;
}

/** Where this model has been before. */
export namespace history {
  /** Earlier transitions of any version of the model, oldest first. */
  function transitions(): Transition[];
  /** The version that the target means now; undefined when it is empty or that is not known. */
  function current(): string | undefined;
}

export interface Source {
  name: string;
  format: string;
  digest: string;
  collectedAt: number | undefined;
  signedBy: string[];
}

/** Where each piece of evidence came from and who vouches for it. */
export namespace sources {
  function all(): Source[];
}

/** Evidence of any other kind, as JSON text. */
export namespace documents {
  function names(): string[];
  function read(name: string): string | undefined;
}

/** Lines for the policy's author. They never change a verdict; the host caps them. */
export namespace log {
  function debug(message: string): void;
  function info(message: string): void;
  function warn(message: string): void;
}
