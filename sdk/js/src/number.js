// Significant digits that a difference of measured values keeps. A double holds about 16; the
// last few of a sum or difference are noise of the binary fractions, not measurement.
const KEPT_DIGITS = 12;

// Digits shown of a number in a message.
const SHOWN_DIGITS = 6;

/** `a - b` without the noise of binary fractions, so that 0.95 - 0.94 is exactly 0.01. */
export function difference(a, b) {
  return tidy(a - b, Math.max(Math.abs(a), Math.abs(b)));
}

/** `value` rounded to twelve significant digits of `scale`, the largest number it came from. */
export function tidy(value, scale) {
  return roundTo(value, KEPT_DIGITS - 1 - exponent(scale));
}

/** A number for people: six significant digits, no trailing zeros. */
export function number(value) {
  if (value === 0) {
    return "0";
  }
  if (!Number.isFinite(value)) {
    return digits(value);
  }
  const magnitude = exponent(value);
  if (magnitude < -6 || magnitude >= 15) {
    return value.toExponential().replace("e+", "e");
  }
  return digits(roundTo(value, Math.max(SHOWN_DIGITS - 1 - magnitude, 0)));
}

/** Two numbers for people, with all their digits when fewer would make different ones look equal. */
export function numbers(a, b) {
  const short = [number(a), number(b)];
  return short[0] === short[1] && a !== b ? [digits(a), digits(b)] : short;
}

/** All digits of a number, without an exponent. */
export function digits(value) {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? "NaN" : value > 0 ? "inf" : "-inf";
  }
  if (Object.is(value, -0)) {
    return "-0";
  }
  const text = String(value);
  const [mantissa, power] = text.split("e");
  if (power === undefined) {
    return text;
  }
  const sign = mantissa.startsWith("-") ? "-" : "";
  const [whole, fraction = ""] = mantissa.replace("-", "").split(".");
  const point = whole.length + Number(power);
  const all = whole + fraction;
  if (point <= 0) {
    return `${sign}0.${"0".repeat(-point)}${all}`;
  }
  // An exponent is only written for numbers with fewer digits than places before the point.
  return sign + all.padEnd(point, "0");
}

// Decimal exponent of the first digit; 0 for zero and for what is not finite.
function exponent(value) {
  const magnitude = Math.abs(value);
  return magnitude > 0 && Number.isFinite(magnitude) ? Math.floor(Math.log10(magnitude)) : 0;
}

// `value` rounded to `decimals` places after the point (before it, when negative).
function roundTo(value, decimals) {
  // Past 10^22 a power of ten is no longer exact in a double, and rounding would add noise
  // instead of taking it away.
  if (Math.abs(decimals) > 22) {
    return value;
  }
  // Engines may be a digit off in `10 ** n`, never in reading a literal.
  const power = Number(`1e${Math.abs(decimals)}`);
  const rounded = decimals < 0 ? round(value / power) * power : round(value * power) / power;
  return Number.isFinite(rounded) ? rounded : value;
}

// Halves go away from zero; those of `Math.round` go up.
function round(value) {
  return Math.sign(value) * Math.round(Math.abs(value));
}
