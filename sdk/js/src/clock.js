/**
 * Takes clock and randomness away, and gives what brings them back. The engine of a component would
 * keep both as they were at the build: an age that is taken from such a clock never grows, and
 * nobody would notice.
 */
export function stopClock() {
  const { Date: date } = globalThis;
  const { now } = date;
  const { random } = Math;
  const stopped = () => {
    throw new Error("a policy has no clock; the time is `promotion.request().at`");
  };
  date.now = stopped;
  globalThis.Date = new Proxy(date, {
    apply: stopped,
    construct: (date, values, target) => (values.length === 0 ? stopped() : Reflect.construct(date, values, target)),
  });
  Math.random = () => {
    throw new Error("a policy has no randomness: the same evidence gives the same checks");
  };
  return () => {
    date.now = now;
    globalThis.Date = date;
    Math.random = random;
  };
}
