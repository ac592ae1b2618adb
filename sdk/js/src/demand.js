/** Holds the author of a policy to something. */
export function demand(condition, message) {
  if (!condition) {
    throw new Error(message);
  }
}
