// Every control character of Unicode.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/**
 * Text without control characters: what scanners and people wrote may hold line breaks, and a
 * message is one line.
 */
export function oneLine(text) {
  return String(text).replace(CONTROL, " ");
}
