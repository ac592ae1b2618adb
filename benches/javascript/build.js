// Builds `policy.js` into a component: `node build.js OUT`.
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { componentize } from "@bytecodealliance/componentize-js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = process.argv[2];
if (!out) {
  throw new Error("usage: node build.js OUT");
}

// The contract has one copy; it is put beside the world only for the build.
const wit = await mkdtemp(join(tmpdir(), "lockgate-wit-"));
try {
  await mkdir(join(wit, "deps", "policy"), { recursive: true });
  await copyFile(here("world.wit"), join(wit, "world.wit"));
  await copyFile(here("../../sdk/wit/policy.wit"), join(wit, "deps", "policy", "policy.wit"));
  const { component } = await componentize({
    sourcePath: here("policy.js"),
    witPath: wit,
    worldName: "metrics-only",
    // Each of these would be an import of WASI, and a policy may have none.
    disableFeatures: ["stdio", "random", "clocks", "http", "fetch-event"],
  });
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, component);
} finally {
  await rm(wit, { recursive: true });
}
