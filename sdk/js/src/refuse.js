import { oneLine } from "./text.js";

/** Why a policy could not judge. Counts as undecided, never as a pass. */
export class Refusal extends Error {
  constructor(kind, message) {
    super(oneLine(message));
    this.name = "Refusal";
    this.kind = kind;
  }
}

export const refuse = {
  /** The params make no sense, though they fit the schema. */
  params(message) {
    throw new Refusal("params", message);
  },
  /** The evidence is missing, contradictory or not of a kind that the policy can judge. */
  evidence(message) {
    throw new Refusal("evidence", message);
  },
};
