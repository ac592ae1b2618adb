import { log } from "#log";

export const debug = (message) => log("debug", String(message));

export const info = (message) => log("info", String(message));

export const warn = (message) => log("warn", String(message));
