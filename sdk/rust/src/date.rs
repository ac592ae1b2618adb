use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A calendar day in UTC, written `2027-03-31`.
///
/// ```
/// use lockgate_sdk::Date;
///
/// let until: Date = "2027-03-31".parse().unwrap();
/// assert!(Date::at(1_767_225_600) <= until);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u64,
    month: u64,
    day: u64,
}

/// Text that is no calendar day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidDate(String);

impl Date {
    /// The day of a point in time, in seconds since the Unix epoch.
    #[must_use]
    pub const fn at(seconds: u64) -> Self {
        // Counted in eras of 400 years that begin on 1 March, so that the leap day comes last.
        const DAYS_FROM_MARCH_OF_YEAR_0_TO_EPOCH: u64 = 719_468;
        const DAYS_OF_ERA: u64 = 146_097;
        let days = seconds / 86_400 + DAYS_FROM_MARCH_OF_YEAR_0_TO_EPOCH;
        let (era, day_of_era) = (days / DAYS_OF_ERA, days % DAYS_OF_ERA);
        let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
        let year_of_era = (day_of_era - leap_days) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // From March on, five months have 153 days, in the same pattern each time.
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let next_year = if month <= 2 { 1 } else { 0 };
        Self { year: era * 400 + year_of_era + next_year, month, day }
    }
}

const fn days_of(year: u64, month: u64) -> u64 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl FromStr for Date {
    type Err = InvalidDate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let part = |part: Option<&str>, length: usize| {
            part.filter(|part| part.len() == length && part.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|part| part.parse().ok())
        };
        let mut parts = text.split('-');
        let read = (part(parts.next(), 4), part(parts.next(), 2), part(parts.next(), 2));
        match (read, parts.next()) {
            ((Some(year), Some(month), Some(day)), None)
                if (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day) =>
            {
                Ok(Self { year, month, day })
            }
            _ => Err(InvalidDate(text.to_owned())),
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for InvalidDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a date; write it as `2027-03-31`", self.0)
    }
}

impl std::error::Error for InvalidDate {}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Date {
    fn schema_name() -> Cow<'static, str> {
        "date".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_day_of_a_time() {
        for (seconds, date) in [
            (0, "1970-01-01"),
            (86_399, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_767_225_599, "2025-12-31"),
            (1_767_225_600, "2026-01-01"),
            (4_107_542_400, "2100-03-01"),
            (253_402_214_400, "9999-12-31"),
        ] {
            assert_eq!(Date::at(seconds).to_string(), date);
            assert_eq!(date.parse(), Ok(Date::at(seconds)));
        }
    }

    #[test]
    fn rejects_what_is_no_day() {
        for text in ["", "2027", "2027-3-1", "2027-02-29", "2027-13-01", "2027-01-00", "27-01-01"] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
        assert!("2027-01-01-01".parse::<Date>().is_err());
        assert!("+027-01-01".parse::<Date>().is_err());
    }
}
