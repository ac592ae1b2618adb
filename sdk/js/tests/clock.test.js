import assert from "node:assert/strict";
import { test } from "node:test";

import { stopClock } from "../src/clock.js";

test("a component has neither clock nor randomness", () => {
  const startClock = stopClock();
  try {
    for (const read of [() => Date.now(), () => new Date(), () => Date(), () => Math.random()]) {
      assert.throws(read, /a policy has no (clock|randomness)/);
    }
    assert.equal(new Date(0).toISOString(), "1970-01-01T00:00:00.000Z");
    assert.ok(new Date(0) instanceof Date);
  } finally {
    startClock();
  }
  assert.ok(Date.now() > 0 && new Date() > 0 && Math.random() < 1);
});
