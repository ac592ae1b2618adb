import * as host from "#tests";

export const results = () => host.results();
