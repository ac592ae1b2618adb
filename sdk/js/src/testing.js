// Evidence for unit tests; `testing.d.ts` documents what is here.
import { rank } from "./memory.js";
import { Target } from "./target.js";

/** Evidence for a test; empty until it is given some. */
export const evidence = () => new EvidenceBuilder();

class EvidenceBuilder {
  #facts = {
    request: {
      subject: { registry: "local", model: "model", version: "1", digest: undefined },
      source: undefined,
      target: Target.stage("Production"),
      requestedBy: "alice",
      at: Date.UTC(2026, 0, 1) / 1000,
    },
    metadata: {
      owner: undefined,
      license: undefined,
      framework: undefined,
      description: undefined,
      createdAt: undefined,
      sourceRun: undefined,
      sourceCommit: undefined,
      trainingDataset: undefined,
    },
    tags: new Map(),
    card: [],
    artifacts: [],
    metrics: [],
    baseline: [],
    unmeasured: new Map(),
    tests: [],
    usages: [],
    forecasts: [],
    scans: [],
    findings: [],
    approvals: [],
    transitions: [],
    current: undefined,
    sources: [],
    documents: new Map(),
  };

  request(request) {
    Object.assign(this.#facts.request, request);
    return this;
  }

  at(seconds) {
    return this.request({ at: seconds });
  }

  requestedBy(name) {
    return this.request({ requestedBy: name });
  }

  metadata(metadata) {
    Object.assign(this.#facts.metadata, metadata);
    return this;
  }

  tag(key, value) {
    this.#facts.tags.set(key, value);
    return this;
  }

  cardSection(name, text) {
    return this.#push("card", { name, text });
  }

  artifact(path, rest) {
    return this.#push("artifacts", { path, format: undefined, size: undefined, digest: undefined, ...rest });
  }

  metric(name, value, rest) {
    return this.#push("metrics", metric(name, value, rest));
  }

  baseline(name, value, rest) {
    return this.#push("baseline", metric(name, value, rest));
  }

  unmeasured(name, reason) {
    this.#facts.unmeasured.set(name, reason);
    return this;
  }

  test(suite, name, status, rest) {
    return this.#push("tests", { suite, name, status, critical: false, message: undefined, ...rest });
  }

  usage(purpose, rest) {
    return this.#push("usages", {
      purpose,
      gpuModel: undefined,
      gpuHours: undefined,
      utilization: undefined,
      amount: undefined,
      currency: undefined,
      startedAt: undefined,
      endedAt: undefined,
      ...rest,
    });
  }

  forecast(metric, amount, currency) {
    return this.#push("forecasts", { metric, amount, currency });
  }

  scan(scanner, lookedFor, rest) {
    return this.#push("scans", {
      scanner,
      version: undefined,
      target: undefined,
      targetDigest: undefined,
      finishedAt: undefined,
      scanned: undefined,
      lookedFor,
      skipped: 0,
      errors: [],
      ...rest,
    });
  }

  finding(id, category, severity, rest) {
    return this.#push("findings", {
      scanner: "scanner",
      id,
      category,
      severity,
      title: id,
      component: undefined,
      installed: undefined,
      fixedIn: undefined,
      location: undefined,
      exploitability: "unstated",
      ...rest,
    });
  }

  approval(approver, at, rest) {
    return this.#push("approvals", { approver, role: undefined, at, reference: undefined, ...rest });
  }

  transition(version, target, at, rest) {
    return this.#push("transitions", { version, target, at, by: undefined, ...rest });
  }

  current(version) {
    this.#facts.current = version;
    return this;
  }

  source(name, format, digest, rest) {
    return this.#push("sources", { name, format, digest, collectedAt: undefined, signedBy: [], ...rest });
  }

  document(name, json) {
    this.#facts.documents.set(name, typeof json === "string" ? json : JSON.stringify(json));
    return this;
  }

  /** The evidence, each list in the order in which the host gives it. */
  build() {
    const facts = this.#facts;
    return {
      ...facts,
      request: { ...facts.request },
      metadata: { ...facts.metadata },
      tags: byKey(facts.tags),
      documents: byKey(facts.documents),
      metrics: facts.metrics.toSorted(byName),
      baseline: facts.baseline.toSorted(byName),
      findings: facts.findings.toSorted((a, b) => rank(b.severity) - rank(a.severity)),
      transitions: facts.transitions.toSorted((a, b) => a.at - b.at),
    };
  }

  #push(kind, item) {
    this.#facts[kind].push(item);
    return this;
  }
}

function metric(name, value, rest) {
  if (!Number.isFinite(value)) {
    throw new TypeError(`\`${name}\` is ${value}; evidence has finite values, and \`unmeasured\` for others`);
  }
  return {
    name,
    value,
    dataset: undefined,
    slice: undefined,
    sampleSize: undefined,
    standardError: undefined,
    higherIsBetter: undefined,
    partial: false,
    recordedAt: undefined,
    ...rest,
  };
}

const byKey = (map) => new Map([...map].sort(([a], [b]) => order(a, b)));

const byName = (a, b) => order(a.name, b.name) || order(a.dataset, b.dataset) || order(a.slice, b.slice);

// What is not known comes first, as in the host.
function order(a, b) {
  if (a === b) {
    return 0;
  }
  return a === undefined || (b !== undefined && a < b) ? -1 : 1;
}
