import * as host from "#cost";

import { whole } from "../whole.js";

export const usages = () =>
  host.usages().map(({ startedAt, endedAt, ...rest }) => ({
    ...rest,
    startedAt: whole(startedAt, "the start of a usage"),
    endedAt: whole(endedAt, "the end of a usage"),
  }));

export const forecasts = () => host.forecasts();
