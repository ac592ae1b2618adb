/** Evidence for unit tests. */
import type {
  Approval,
  Artifact,
  Category,
  Finding,
  Metadata,
  Metric,
  Purpose,
  Request,
  Scan,
  Severity,
  Source,
  Target,
  Test,
  TestStatus,
  Transition,
  Usage,
} from "./index.js";

/**
 * Evidence for a test; empty until it is given some.
 *
 * Unless told otherwise, `alice` asks to move version `1` of `model` to `stage:Production`, at
 * 2026-01-01T00:00:00Z.
 */
export function evidence(): EvidenceBuilder;

export interface EvidenceBuilder {
  /** What is asked for, in place of the default. */
  request(request: Partial<Request>): this;
  /** The evaluation time in seconds since the Unix epoch. */
  at(seconds: number): this;
  /** Who asks; undefined when nobody was named. */
  requestedBy(name: string | undefined): this;
  metadata(metadata: Partial<Metadata>): this;
  tag(key: string, value: string): this;
  cardSection(name: string, text: string): this;
  artifact(path: string, rest?: Partial<Artifact>): this;
  /** One metric of the version that asks. */
  metric(name: string, value: number, rest?: Partial<Metric>): this;
  /** One metric of the version it would replace. */
  baseline(name: string, value: number, rest?: Partial<Metric>): this;
  /** A metric that has a name but no value, and why. */
  unmeasured(name: string, reason: string): this;
  test(suite: string, name: string, status: TestStatus, rest?: Partial<Test>): this;
  usage(purpose: Purpose, rest?: Partial<Usage>): this;
  forecast(metric: string, amount: number, currency: string): this;
  scan(scanner: string, lookedFor: Category[], rest?: Partial<Scan>): this;
  finding(id: string, category: Category, severity: Severity, rest?: Partial<Finding>): this;
  approval(approver: string, at: number, rest?: Partial<Approval>): this;
  transition(version: string, target: Target, at: number, rest?: Partial<Transition>): this;
  /** The version that the target means now. */
  current(version: string): this;
  source(name: string, format: string, digest: string, rest?: Partial<Source>): this;
  /** A document of any other kind, as JSON text or as a value. */
  document(name: string, json: unknown): this;
  /** The evidence, each list in the order in which the host gives it. */
  build(): object;
}
