import * as host from "#documents";

export const names = () => host.names();

export const read = (name) => host.read(name);
