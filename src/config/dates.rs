use std::time::Duration;

use crate::model::Timestamp;

const DAY: u64 = 86_400;

/// Reads an age, `30m`, `24h`, `7d` or `2w`; none for `any`. An error when it is written
/// otherwise or is zero or longer than a century.
pub(crate) fn age(text: &str) -> Result<Option<Duration>, ()> {
    if text == "any" {
        return Ok(None);
    }
    let unit = text.chars().next_back().ok_or(())?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => DAY,
        'w' => 7 * DAY,
        _ => return Err(()),
    };
    let digits = text.strip_suffix(unit).ok_or(())?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(());
    }
    let count: u64 = digits.parse().map_err(|_| ())?;
    let age = count.checked_mul(seconds).ok_or(())?;
    if age == 0 || age > 100 * 366 * DAY { Err(()) } else { Ok(Some(Duration::from_secs(age))) }
}

/// The start of a day in UTC, or the time that is given.
pub(super) fn start(text: &str) -> Option<Timestamp> {
    match written(text)? {
        Written::Day(time) | Written::Time(time) => Some(time),
    }
}

/// The end of a day in UTC, which is the start of the next, or the time that is given.
pub(super) fn end(text: &str) -> Option<Timestamp> {
    match written(text)? {
        Written::Day(time) => Timestamp::from_seconds(time.seconds().checked_add(DAY)?),
        Written::Time(time) => Some(time),
    }
}

enum Written {
    Day(Timestamp),
    Time(Timestamp),
}

/// `2027-01-01`, or RFC 3339 with its offset: a time of day without one means another moment on
/// another machine.
fn written(text: &str) -> Option<Written> {
    let bytes = text.as_bytes();
    let (day, rest) = bytes.split_at_checked(10)?;
    let day_fits = day.iter().enumerate().all(|(index, byte)| match index {
        4 | 7 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    if !day_fits {
        return None;
    }
    let (clock, offset) = match rest {
        [] => return text.parse().ok().map(Written::Day),
        [b'T' | b't', clock @ .., b'Z' | b'z'] => (clock, &[][..]),
        [b'T' | b't', time @ ..] => time.split_at_checked(time.len().checked_sub(6)?)?,
        _ => return None,
    };
    let offset_fits = matches!(offset, [] | [b'+' | b'-', _, _, b':', _, _]);
    let plain = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b':' | b'.');
    if !offset_fits || clock.len() < 8 || !clock.iter().all(plain) {
        return None;
    }
    text.parse().ok().map(Written::Time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_ages() {
        for (text, seconds) in
            [("90s", 90), ("30m", 1800), ("24h", 86_400), ("7d", 7 * DAY), ("2w", 14 * DAY)]
        {
            assert_eq!(age(text), Ok(Some(Duration::from_secs(seconds))), "{text}");
        }
        assert_eq!(age("any"), Ok(None));
    }

    #[test]
    fn rejects_what_is_no_age() {
        for text in [
            "",
            "d",
            "7",
            "0d",
            "-1d",
            "+1d",
            "7 d",
            "7D",
            "1y",
            "7é",
            "99999999999999999999d",
            "40000d",
        ] {
            assert_eq!(age(text), Err(()), "{text}");
        }
    }

    #[test]
    fn a_day_starts_and_ends_in_utc() {
        assert_eq!(start("2027-01-01"), "2027-01-01T00:00:00Z".parse().ok());
        assert_eq!(end("2027-03-31"), "2027-04-01T00:00:00Z".parse().ok());
        assert_eq!(end("2028-02-28"), "2028-02-29T00:00:00Z".parse().ok());
    }

    #[test]
    fn a_time_is_that_moment() {
        for text in ["2027-01-01T12:00:00Z", "2027-01-01T13:00:00+01:00", "2027-01-01T12:00:00.5Z"]
        {
            let moment: Option<Timestamp> = "2027-01-01T12:00:00Z".parse().ok();
            assert_eq!((start(text), end(text)), (moment, moment), "{text}");
        }
    }

    #[test]
    fn rejects_what_is_no_date() {
        for text in [
            "",
            "2027",
            "2027-1-1",
            "2027-02-30",
            "01-01-2027",
            "20270101",
            "2027-01-01 12:00",
            "2027-01-01T12:00:00",
            "2027-01-01T12:00:00Z[UTC]",
            "2027-01-01T",
            "1960-01-01",
            "2027-01-0é",
        ] {
            assert_eq!(start(text), None, "{text}");
            assert_eq!(end(text), None, "{text}");
        }
    }
}
