import { listSources } from "#sources";

import { whole } from "../whole.js";

export const all = () =>
  listSources().map((source) => ({
    ...source,
    collectedAt: whole(source.collectedAt, `the time of \`${source.name}\``),
  }));
