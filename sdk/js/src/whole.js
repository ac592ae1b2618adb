import { refuse } from "./refuse.js";

/**
 * A whole number of the contract as a number. There are 64 bits in it and a number holds 53:
 * what does not fit is refused rather than rounded.
 */
export function whole(value, what) {
  if (typeof value !== "bigint") {
    return value;
  }
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    refuse.evidence(`${what} is ${value}, more than this policy can count`);
  }
  return number;
}
