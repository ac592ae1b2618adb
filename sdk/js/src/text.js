// Every control character of Unicode.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/**
 * Text without control characters: what scanners and people wrote may hold line breaks, and a
 * message is one line.
 */
export function oneLine(text) {
  return String(text).replace(CONTROL, " ");
}

/** What an author wrote, which has to be text: `undefined` would be the word of that name. */
export function authored(text, what) {
  if (typeof text !== "string") {
    throw new TypeError(`${what} is ${text === null ? "null" : `a value of type \`${typeof text}\``}; give text`);
  }
  return text;
}
