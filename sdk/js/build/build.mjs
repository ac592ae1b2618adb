// Builds a policy in JavaScript or TypeScript into a component.
//
//   node build.mjs --source FILE --wit DIR --world NAME --reads metrics,model --out FILE
//
// The last line of standard output is JSON. `{"uses": [...]}` are the interfaces that the policy's
// code uses; no component is written when it uses one that `--reads` does not name.
// `{"missing": NAME}`, with exit code 4, is a tool that is not installed. What is wrong with the
// policy goes to standard error, with exit code 1.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

import { stopClock } from "../src/clock.js";

// Each of these would be an import of WASI, and a policy may have none.
const WITHOUT = ["stdio", "random", "clocks", "http", "fetch-event"];

const INTERFACE = /^lockgate:policy\/([a-z-]+)@/;
const MISSING_TOOL = 4;
const OLDEST_NODE = 20;

/** The policy as one module for the engine, and the interfaces that its code uses. */
async function bundle(esbuild, source, conditions, outfile) {
  const { metafile } = await esbuild.build({
    stdin: { contents: entry(source, conditions.length > 0), resolveDir: dirname(source), sourcefile: "entry.js" },
    outfile,
    bundle: true,
    conditions,
    // The engine has a location that throws when it is read; without one, libraries do not ask.
    define: { "self.location": "undefined" },
    external: ["lockgate:policy/*"],
    format: "esm",
    logLevel: "error",
    mainFields: ["module", "main"],
    metafile: true,
    platform: "neutral",
    sourcemap: conditions.length === 0 ? "inline" : false,
    target: "es2022",
    treeShaking: true,
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  return imports.map(({ path }) => INTERFACE.exec(path)?.[1]).filter(Boolean).sort();
}

function entry(source, isComponent) {
  const ours = (name) => JSON.stringify(fileURLToPath(new URL(`../src/${name}`, import.meta.url)));
  return `
    ${isComponent ? `import ${ours("no-clock.js")};` : ""}
    import policy from ${JSON.stringify(source)};
    import { exported } from ${ours("component.js")};
    const { describe, evaluate } = exported(policy);
    export { describe, evaluate };
  `;
}

/**
 * Loads the policy natively, over no evidence: what `definePolicy` has to say reads better here
 * than from within the engine.
 */
async function load(esbuild, source, folder) {
  const native = join(folder, "native.mjs");
  await bundle(esbuild, source, [], native);
  process.setSourceMapsEnabled(true);
  const startClock = stopClock();
  try {
    await import(pathToFileURL(native).href);
  } catch (error) {
    throw new Problem(error instanceof Error ? `${error.name}: ${error.message}${place(error, source)}` : String(error));
  } finally {
    startClock();
  }
}

/** Where in the policy's own files an error came from. */
function place(error, source) {
  const folder = dirname(source);
  const line = error.stack.split("\n").find((line) => line.includes(`${folder}/`) && !line.includes("node_modules"));
  const found = line && /([^/()]+\/)?[^/()]+:\d+:\d+/.exec(line);
  return found ? `\n    at ${found[0]}` : "";
}

async function build({ source, wit, world, reads, out }) {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    throw new Problem(`Node.js ${OLDEST_NODE} or newer is needed, and this is ${process.versions.node}`);
  }
  const esbuild = await tool("esbuild");
  const { componentize } = await tool("@bytecodealliance/componentize-js");
  const folder = await mkdtemp(join(tmpdir(), "lockgate-js-"));
  try {
    const sourcePath = join(folder, "policy.js");
    const uses = await bundle(esbuild, source, ["lockgate-component"], sourcePath);
    await load(esbuild, source, folder);
    if (uses.every((name) => reads.includes(name))) {
      const { component } = await componentize({ sourcePath, witPath: wit, worldName: world, disableFeatures: WITHOUT });
      await writeFile(out, component);
    }
    return { uses };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function tool(name) {
  try {
    return await import(name);
  } catch (error) {
    throw error.code === "ERR_MODULE_NOT_FOUND" ? new Missing(name) : error;
  }
}

/** What is wrong with the policy, in words for its author. */
class Problem extends Error {}

/** A tool that is not installed. */
class Missing extends Error {}

const option = { type: "string" };
const { values } = parseArgs({ options: { source: option, wit: option, world: option, reads: option, out: option } });
try {
  const { source, wit, world, reads = "", out } = values;
  if (!source || !wit || !world || !out) {
    throw new Problem("usage: build.mjs --source FILE --wit DIR --world NAME --reads NAMES --out FILE");
  }
  const result = await build({ source: resolve(source), wit, world, reads: reads.split(",").filter(Boolean), out });
  console.log(JSON.stringify(result));
} catch (error) {
  if (error instanceof Missing) {
    console.log(JSON.stringify({ missing: error.message }));
    process.exitCode = MISSING_TOOL;
  } else {
    // The bundler has written its own lines.
    if (!error.errors) {
      console.error(error instanceof Problem ? error.message : error);
    }
    process.exitCode = 1;
  }
}
