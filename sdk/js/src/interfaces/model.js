import * as host from "#model";

import { whole } from "../whole.js";

export function metadata() {
  const { createdAt, ...rest } = host.getMetadata();
  return { ...rest, createdAt: whole(createdAt, "the time of creation") };
}

export const tag = (key) => host.tag(key);

export const tags = () => new Map(host.tags());

export const card = () => host.card();

export const artifacts = () =>
  host.artifacts().map(({ size, ...rest }) => ({ ...rest, size: whole(size, `the size of \`${rest.path}\``) }));
