/// Significant digits that a difference of measured values keeps. A double holds about 16; the
/// last few of a sum or difference are noise of the binary fractions, not measurement.
const KEPT_DIGITS: i32 = 12;

/// Digits shown of a number in a message.
const SHOWN_DIGITS: i32 = 6;

/// `a - b` without the noise of binary fractions, so that 0.95 - 0.94 is exactly 0.01.
///
/// Without it a limit of 0.01 on that drop would be broken by 0.000000000000000009. The result
/// is rounded to twelve significant digits of the larger operand.
#[must_use]
pub fn difference(a: f64, b: f64) -> f64 {
    tidy(a - b, a.abs().max(b.abs()))
}

/// `value` rounded to twelve significant digits of `scale`, the largest of the numbers it was
/// computed from. A value that is not finite, or needs no rounding, comes back as it is.
#[must_use]
pub fn tidy(value: f64, scale: f64) -> f64 {
    round_to(value, KEPT_DIGITS - 1 - exponent(scale))
}

/// A number for people: six significant digits, no trailing zeros.
#[must_use]
pub fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let exponent = exponent(value);
    if !(-6..15).contains(&exponent) || !value.is_finite() {
        return format!("{value:e}");
    }
    round_to(value, (SHOWN_DIGITS - 1 - exponent).max(0)).to_string()
}

/// Two numbers for people, with all their digits when fewer would make different ones look equal.
pub(crate) fn numbers(a: f64, b: f64) -> (String, String) {
    let (short_a, short_b) = (number(a), number(b));
    if short_a == short_b && a != b { (a.to_string(), b.to_string()) } else { (short_a, short_b) }
}

/// Decimal exponent of the first digit; 0 for zero and for what is not finite.
fn exponent(value: f64) -> i32 {
    let magnitude = value.abs();
    if magnitude > 0.0 && magnitude.is_finite() { magnitude.log10().floor() as i32 } else { 0 }
}

/// `value` rounded to `decimals` places after the point (before it, when negative).
fn round_to(value: f64, decimals: i32) -> f64 {
    // Past 10^22 a power of ten is no longer exact in a double, and rounding would add noise
    // instead of taking it away.
    if !(-22..=22).contains(&decimals) {
        return value;
    }
    let power = 10_f64.powi(decimals.abs());
    let rounded = if decimals < 0 {
        (value / power).round() * power
    } else {
        (value * power).round() / power
    };
    if rounded.is_finite() { rounded } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_of_decimals_is_the_decimal() {
        for (a, b, expected) in [
            (0.95, 0.94, 0.01),
            (0.94, 0.95, -0.01),
            (0.3, 0.1, 0.2),
            (1e9 + 0.5, 1e9, 0.5),
            (5e-9, 3e-9, 2e-9),
            (1.0, 1.0, 0.0),
            (1e300, -1e300, 2e300),
        ] {
            assert_eq!(difference(a, b), expected, "{a} - {b}");
        }
    }

    #[test]
    fn a_difference_keeps_what_is_not_noise() {
        assert_eq!(difference(0.950_000_001, 0.95), 1e-9);
        assert!(difference(f64::MAX, f64::MIN).is_infinite());
        assert!(difference(f64::NAN, 1.0).is_nan());
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.931, "0.931"),
            (1.0 / 3.0, "0.333333"),
            (1234.0, "1234"),
            (1_234_567.891, "1234568"),
            (-0.5, "-0.5"),
            (0.0, "0"),
            (0.000_012_345_678, "0.0000123457"),
            (1e-9, "1e-9"),
            (1e21, "1e21"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn different_numbers_never_look_equal() {
        assert_eq!(numbers(0.949_999_999, 0.95), ("0.949999999".to_owned(), "0.95".to_owned()));
    }
}
