// Write lockgate policies in JavaScript or TypeScript; `index.d.ts` documents what is here.
//
// Each interface is a module of its own: a component imports those that the policy uses, because
// the bundler leaves out the others.
export { check } from "./check.js";
export * as approvals from "./interfaces/approvals.js";
export * as cost from "./interfaces/cost.js";
export * as documents from "./interfaces/documents.js";
export * as history from "./interfaces/history.js";
export * as log from "./interfaces/log.js";
export * as metrics from "./interfaces/metrics.js";
export * as model from "./interfaces/model.js";
export * as promotion from "./interfaces/promotion.js";
export * as security from "./interfaces/security.js";
export * as sources from "./interfaces/sources.js";
export * as tests from "./interfaces/tests.js";
export { difference, number, tidy } from "./number.js";
export { definePolicy } from "./policy.js";
export { Refusal, refuse } from "./refuse.js";
export { Target } from "./target.js";
