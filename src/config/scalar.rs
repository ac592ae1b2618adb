use serde_json::{Number, Value};

/// Reads a plain scalar by the core schema of YAML 1.2.2 (section 10.3.2): only `true` and
/// `false` are booleans, so `no` and `2027-01-01` are text.
///
/// # Errors
/// Why the scalar has no value in JSON: it is not finite, or too large for a whole number.
pub(super) fn plain(text: &str) -> Result<Value, &'static str> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        ".nan" | ".NaN" | ".NAN" => return Err("is not a number; nothing can be compared with it"),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Err("is infinite; write a finite number or leave the key out");
    }
    if let Some(number) = whole(text, unsigned) {
        return number;
    }
    if is_float(unsigned) {
        let finite = text.parse::<f64>().ok().and_then(Number::from_f64);
        return finite
            .map(Value::Number)
            .ok_or("is out of range; write a number that a float can hold");
    }
    Ok(Value::String(text.to_owned()))
}

/// `None` when it is not written as a whole number.
fn whole(text: &str, unsigned: &str) -> Option<Result<Value, &'static str>> {
    let (digits, radix) = match text.get(..2) {
        Some("0x") => (text.get(2..)?, 16),
        Some("0o") => (text.get(2..)?, 8),
        _ => (unsigned, 10),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let value = if text.starts_with('-') {
        text.parse::<i64>().ok().map(Value::from)
    } else {
        u64::from_str_radix(digits, radix).ok().map(Value::from)
    };
    Some(value.ok_or("is too large for a whole number"))
}

/// `(\.[0-9]+ | [0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(unsigned: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    exponent_fits && digits(before) && digits(after) && !(before.is_empty() && after.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_the_core_schema() {
        for (text, value) in [
            ("", json!(null)),
            ("~", json!(null)),
            ("True", json!(true)),
            ("12", json!(12)),
            ("-3", json!(-3)),
            ("+3", json!(3)),
            ("0x1F", json!(31)),
            ("0o17", json!(15)),
            ("0.5", json!(0.5)),
            (".5", json!(0.5)),
            ("-1.", json!(-1.0)),
            ("1e3", json!(1000.0)),
            ("18446744073709551615", json!(u64::MAX)),
        ] {
            assert_eq!(plain(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn leaves_everything_else_as_text() {
        for text in [
            "no",
            "yes",
            "on",
            "tRue",
            "2027-01-01",
            "1.2.3",
            "1_000",
            "0x",
            "-0x1",
            "-",
            ".",
            "e5",
            "1e",
            "é",
            "inf",
            "nan",
        ] {
            assert_eq!(plain(text), Ok(json!(text)));
        }
    }

    #[test]
    fn rejects_numbers_that_json_cannot_hold() {
        for text in
            [".nan", ".inf", "-.INF", "1e999", "18446744073709551616", "-9223372036854775809"]
        {
            assert!(plain(text).is_err(), "{text}");
        }
    }
}
