import { Check } from "./check.js";
import { demand } from "./demand.js";
import { during } from "./now.js";
import { paramsReader } from "./params.js";

const KEBAB_CASE = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const SEMVER = /^\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?$/;

export function definePolicy(definition) {
  const { name, version, summary, params: schema, rules, evaluate } = definition;
  demand(KEBAB_CASE.test(name), `the policy's name \`${name}\` is not in kebab-case, like \`my-policy\``);
  demand(SEMVER.test(version), `the policy's version \`${version}\` is not one of SemVer, like \`1.0.0\``);
  demand(isText(summary), "the policy has no `summary`; say in one line what it checks");
  demand(schema?.type === "object", "the policy's `params` are not a JSON Schema of `type: \"object\"`");
  demand(
    schema.additionalProperties === false,
    "the params take unknown keys, so that a mistyped limit would be no limit; " +
      "add `additionalProperties: false` to their schema",
  );
  demand(typeof evaluate === "function", "the policy has no function `evaluate`");
  const declared = Object.entries(rules ?? {}).map(([code, { title, description }]) => {
    demand(KEBAB_CASE.test(code), `the rule \`${code}\` is not in kebab-case, like \`my-rule\``);
    demand(isText(title) && isText(description), `the rule \`${code}\` lacks a \`title\` or a \`description\``);
    return { code, title, description };
  });
  demand(declared.length > 0, "the policy has no `rules`; name at least one");
  const codes = new Set(declared.map(({ code }) => code));
  const description = { name, version, summary, rules: declared, paramsSchema: JSON.stringify(schema) };
  const read = paramsReader(schema);

  const judge = (params) => {
    const checks = evaluate(params);
    demand(Array.isArray(checks), "`evaluate` returned no list; return a list of checks");
    return checks.map((made) => finished(made, codes));
  };

  return Object.freeze({
    describe: () => description,
    evaluate: (params, evidence) => during(evidence, () => judge(read(params))),
  });
}

function finished(made, codes) {
  demand(made instanceof Check, "`evaluate` returned something that is no check; make checks with `check`");
  const result = Check.finish(made);
  demand(
    codes.has(result.rule),
    `a check names the rule \`${result.rule}\`, which the policy does not declare; ` +
      `its rules are ${[...codes].map((code) => `\`${code}\``).join(", ")}`,
  );
  return result;
}

const isText = (value) => typeof value === "string" && value.trim() !== "";
