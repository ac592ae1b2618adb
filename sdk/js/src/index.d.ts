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
   * JSON Schema of the params. They are held against it, and the defaults of its properties filled
   * in, before `evaluate` is called. A default that would not be filled in, as it stands below
   * `anyOf`, `$defs` or the like, is refused, and so is any object with `properties` that takes
   * unknown keys. A `description` of each property is what users of the policy read.
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
  /** Name of the policy in kebab-case. */
  name: string;
  /** Version of the policy (SemVer). */
  version: string;
  /** What it does, in one line. */
  summary: string;
  /** Each rule, with its code in kebab-case. */
  rules: ({ code: string } & RuleText)[];
  /** JSON Schema (2020-12) of the params, as text. */
  paramsSchema: string;
}

// ---------------------------------------------------------------- Checks

export type Outcome = "pass" | "fail" | "warn" | "skip";

/** What was measured against what. */
export interface Measure {
  /** What was measured. */
  name: string;
  /** The value; finite. */
  actual: number;
  /** What it is held against; finite. */
  limit: number;
  /** On which side of the limit the value has to be; the limit itself passes. */
  comparison: "at-least" | "at-most";
  /** Unit of both numbers ("USD", "GPU hours"); undefined for bare numbers. */
  unit: string | undefined;
}

/** The result of one rule, as `policy.evaluate` returns it. */
export interface CheckResult {
  /** Code of the rule, as the policy declares it. */
  rule: string;
  /** Which of several things the check is about ("CVE-2026-1", "region=eu"); waivers can name it. */
  about: string | undefined;
  /** How it came out. */
  outcome: Outcome;
  /** One line, for the person whose promotion this is. */
  message: string;
  /** What was measured against what; undefined when no numbers were. */
  measure: Measure | undefined;
  /** What to do about it; undefined for a check that passed. */
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
  private constructor();
  static stage(name: string): Target;
  static alias(name: string): Target;
  static environment(name: string): Target;
  readonly kind: "stage" | "alias" | "environment";
  readonly name: string;
  toString(): string;
}

export interface ModelVersion {
  /** Name of the registry that holds the model ("mlflow"); "local" when none was named. */
  registry: string;
  /** Name of the registered model. */
  model: string;
  /** The version as the registry writes it; not necessarily a number. */
  version: string;
  /** Digest of the model's artifacts; undefined when the request names none. */
  digest: string | undefined;
}

export interface Request {
  /** The version that is to be moved. */
  subject: ModelVersion;
  /** Where the version is now; undefined when that is not known or it is nowhere yet. */
  source: Target | undefined;
  /** Where it is to go. */
  target: Target;
  /** Who asks, as the registry or CI system names them; undefined when nobody was named. */
  requestedBy: string | undefined;
  /** The evaluation time; the only clock a policy has. */
  at: number;
}

/** What is asked for. */
export namespace promotion {
  function request(): Request;
}

export interface Metadata {
  /** Who owns the model. */
  owner: string | undefined;
  /** SPDX expression, or what the source says in its own words. */
  license: string | undefined;
  /** What the model was made with ("sklearn"). */
  framework: string | undefined;
  /** What the version says of itself. */
  description: string | undefined;
  /** When the version was made. */
  createdAt: number | undefined;
  /** Identifier of the run that produced the model. */
  sourceRun: string | undefined;
  /** Commit of the training code. */
  sourceCommit: string | undefined;
  /** Name or digest of the dataset it was trained on. */
  trainingDataset: string | undefined;
}

export interface CardSection {
  /** Title of the section. */
  name: string;
  /** What stands below the title. */
  text: string;
}

export interface Artifact {
  /** Path within the model, with "/" between folders. */
  path: string;
  /** Serialisation format ("pickle", "safetensors"); undefined when not known. */
  format: string | undefined;
  /** Size in bytes. */
  size: number | undefined;
  /** Digest of the file, `sha256:…`. */
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
  /** Name of the metric. */
  name: string;
  /** Always finite. */
  value: number;
  /** Dataset it was measured on; undefined when the source does not say. */
  dataset: string | undefined;
  /** Data slice ("region=eu"); undefined for the whole dataset. */
  slice: string | undefined;
  /** Number of samples behind the value. */
  sampleSize: number | undefined;
  /** Standard error of the value, in its unit; at least 0. */
  standardError: number | undefined;
  /** Whether more is better; undefined when the source does not say. */
  higherIsBetter: boolean | undefined;
  /** True when only part of the dataset was evaluated. */
  partial: boolean;
  /** When it was recorded. */
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
  /** Suite that the test is part of. */
  suite: string;
  /** Name of the test. */
  name: string;
  /** How it ended. */
  status: TestStatus;
  /** Whether the suite's author marked it as critical. */
  critical: boolean;
  /** What the suite says of it. */
  message: string | undefined;
}

/** Results of test suites run elsewhere. */
export namespace tests {
  function results(): Test[];
}

export type Purpose = "training" | "tuning" | "evaluation" | "serving" | "other";

export interface Usage {
  /** What the GPUs were used for. */
  purpose: Purpose;
  /** Model of the GPU ("NVIDIA H100"); undefined when not known or mixed. */
  gpuModel: string | undefined;
  /** Number of GPUs times hours; at least 0. */
  gpuHours: number | undefined;
  /** Mean utilisation, 0 to 1. */
  utilization: number | undefined;
  /** Money spent, in `currency`. */
  amount: number | undefined;
  /** ISO 4217 code of `amount` ("USD"); undefined when the source does not say. */
  currency: string | undefined;
  /** When the usage began. */
  startedAt: number | undefined;
  /** When the usage ended. */
  endedAt: number | undefined;
}

export interface Forecast {
  /** What the amount is for; its name is the unit ("per 1k requests", "per month"). */
  metric: string;
  /** Money expected to be spent, in `currency`. */
  amount: number;
  /** ISO 4217 code of `amount` ("USD"). */
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
  /** Name of the scanner ("trivy"). */
  scanner: string;
  /** Version of the scanner. */
  version: string | undefined;
  /** What was scanned, as the scanner names it. */
  target: string | undefined;
  /** Digest of what was scanned. */
  targetDigest: string | undefined;
  /** When the scan ended. */
  finishedAt: number | undefined;
  /** Number of files or packages looked at; undefined when the scanner does not say. */
  scanned: number | undefined;
  /** What it was able to find; no finding outside these means nothing. */
  lookedFor: Category[];
  /** Number of files passed over. Not the same as clean. */
  skipped: number;
  /** What went wrong during the scan, one line each. */
  errors: string[];
}

export interface Finding {
  /** Name of the scanner that found it. */
  scanner: string;
  /** The scanner's identifier ("CVE-2026-1", "S201"). */
  id: string;
  /** What kind of finding it is. */
  category: Category;
  /** How bad the scanner says it is; `unknown` when it gives no rating. */
  severity: Severity;
  /** What it is, in a few words. */
  title: string;
  /** Package or module it is in. */
  component: string | undefined;
  /** Version of the component that is installed. */
  installed: string | undefined;
  /** First version of the component without it; undefined when there is no fix. */
  fixedIn: string | undefined;
  /** File or layer it was found in. */
  location: string | undefined;
  /** What a VEX statement or the scanner says of its effect here. */
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
  /** Who approved, as their system names them. */
  approver: string;
  /** The role in which they approved. */
  role: string | undefined;
  /** When they approved. */
  at: number;
  /** Ticket, review or change in which the approval stands. */
  reference: string | undefined;
}

/** Who has agreed. */
export namespace approvals {
  function all(): Approval[];
}

export interface Transition {
  /** The version that was moved. */
  version: string;
  /** Where it went. */
  target: Target;
  /** When it was moved. */
  at: number;
  /** Who moved it. */
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
  /** Name of the file, or of the resource of a registry. */
  name: string;
  /** Name of the format it was read as ("trivy"). */
  format: string;
  /** Digest of its bytes, `sha256:…`. */
  digest: string;
  /** When what it says was true; undefined when it does not say. */
  collectedAt: number | undefined;
  /** Identities whose signature over it the host has verified. */
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
