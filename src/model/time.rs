use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time in whole seconds since the Unix epoch; RFC 3339 in text and JSON.
///
/// Lies between 1970-01-01 and 9999-12-30T22:00:00Z, so that every value can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Timestamp(u64);

/// Text or a number that is not a point in time between 1970 and 9999.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a time; write it as `2026-11-23T12:00:00Z` or `2026-11-23`")]
pub struct InvalidTimestamp(pub String);

/// 9999-12-30T22:00:00Z, the last second that `jiff` knows: in every time zone it is of a year with
/// four digits.
const LATEST: u64 = 253_402_207_200;

impl Timestamp {
    /// From seconds since the Unix epoch; none past the year 9999.
    #[must_use]
    pub fn from_seconds(seconds: u64) -> Option<Self> {
        (seconds <= LATEST).then_some(Self(seconds))
    }

    /// From milliseconds since the Unix epoch, rounded down; none past the year 9999.
    #[must_use]
    pub fn from_milliseconds(milliseconds: u64) -> Option<Self> {
        Self::from_seconds(milliseconds / 1000)
    }

    /// Seconds since the Unix epoch.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// How long ago `self` was at `now`; zero when it lies ahead.
    #[must_use]
    pub const fn age_at(self, now: Self) -> Duration {
        Duration::from_secs(now.0.saturating_sub(self.0))
    }

    /// The calendar date in UTC, `2026-11-23`.
    #[must_use]
    pub fn date(self) -> String {
        let mut text = self.to_string();
        text.truncate(10);
        text
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0).map_err(|_| fmt::Error)?;
        jiff::Timestamp::from_second(seconds).map_err(|_| fmt::Error)?.fmt(f)
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

impl TryFrom<String> for Timestamp {
    type Error = InvalidTimestamp;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    /// Reads RFC 3339, and a civil date or date and time without an offset, taken as UTC.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidTimestamp(text.chars().take(100).collect());
        let instant: jiff::Timestamp = match text.parse() {
            Ok(instant) => instant,
            Err(_) => text
                .parse::<jiff::civil::DateTime>()
                .and_then(|civil| jiff::tz::TimeZone::UTC.to_timestamp(civil))
                .map_err(|_| invalid())?,
        };
        let seconds = u64::try_from(instant.as_second()).map_err(|_| invalid())?;
        Self::from_seconds(seconds).ok_or_else(invalid)
    }
}

/// A duration as people say it: the two largest units, `3 d 4 h`.
#[must_use]
pub fn spoken(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "min")];
    let parts: Vec<String> = units
        .iter()
        .skip_while(|(count, _)| *count == 0)
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if parts.is_empty() { format!("{seconds} s") } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rfc_3339_dates_and_times_without_an_offset() {
        for (text, seconds) in [
            ("2026-11-23T12:00:00Z", 1_795_435_200),
            ("2026-11-23T13:00:00+01:00", 1_795_435_200),
            ("2026-11-23", 1_795_392_000),
            ("2026-11-23T06:26:38.667092", 1_795_415_198),
            ("2021-08-25T12:20:30.000000005Z", 1_629_894_030),
        ] {
            assert_eq!(text.parse::<Timestamp>().map(Timestamp::seconds), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn rejects_what_is_no_time_or_before_1970() {
        for text in ["", "yesterday", "1969-12-31", "2026-13-01", "1795435200"] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
        assert_eq!(Timestamp::from_seconds(u64::MAX), None);
    }

    #[test]
    fn every_value_can_be_written() {
        for seconds in [0, LATEST] {
            let time = Timestamp::from_seconds(seconds).unwrap();
            assert_eq!(time.to_string().parse(), Ok(time));
            assert_eq!(time.date().len(), 10);
        }
        assert_eq!(i64::try_from(LATEST), Ok(jiff::Timestamp::MAX.as_second()));
        assert_eq!(Timestamp::from_seconds(LATEST + 1), None);
        assert_eq!(Timestamp::from_milliseconds((LATEST + 1) * 1000), None);
        assert!("9999-12-31".parse::<Timestamp>().is_err());
    }

    #[test]
    fn speaks_of_the_two_largest_units() {
        for (seconds, text) in [(5, "5 s"), (90, "1 min"), (90_000, "1 d 1 h"), (7 * 86_400, "7 d")]
        {
            assert_eq!(spoken(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn writes_rfc_3339() {
        let time = Timestamp::from_seconds(1_795_435_200).map(|time| time.to_string());
        assert_eq!(time.as_deref(), Some("2026-11-23T12:00:00Z"));
    }
}
