use crate::number::numbers;
use crate::{Check, Comparison, Measure, Outcome, Rules};

impl Check {
    /// The rule holds.
    pub fn pass(rule: impl Rules, message: impl Into<String>) -> Self {
        Self::new(rule, Outcome::Pass, message.into())
    }

    /// The rule is broken.
    pub fn fail(rule: impl Rules, message: impl Into<String>) -> Self {
        Self::new(rule, Outcome::Fail, message.into())
    }

    /// The rule holds, narrowly or with a remark.
    pub fn warn(rule: impl Rules, message: impl Into<String>) -> Self {
        Self::new(rule, Outcome::Warn, message.into())
    }

    /// The rule does not apply. A policy whose every check is skipped has checked nothing, and
    /// its gate does not open.
    pub fn skip(rule: impl Rules, message: impl Into<String>) -> Self {
        Self::new(rule, Outcome::Skip, message.into())
    }

    /// Passes when `actual` is `limit` or more. A number that is not finite fails.
    pub fn at_least(rule: impl Rules, name: impl Into<String>, actual: f64, limit: f64) -> Self {
        Self::measured(rule, name.into(), actual, limit, Comparison::AtLeast)
    }

    /// Passes when `actual` is `limit` or less. A number that is not finite fails.
    pub fn at_most(rule: impl Rules, name: impl Into<String>, actual: f64, limit: f64) -> Self {
        Self::measured(rule, name.into(), actual, limit, Comparison::AtMost)
    }

    /// Which of several things the check is about; a waiver can name it.
    #[must_use]
    pub fn about(mut self, about: impl Into<String>) -> Self {
        self.about = Some(one_line(about.into()));
        self
    }

    /// What to do about it. Kept by checks that did not pass, dropped by the others.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        match self.outcome {
            Outcome::Fail | Outcome::Warn => self.remedy = Some(one_line(remedy.into())),
            Outcome::Pass | Outcome::Skip => {}
        }
        self
    }

    /// What to do about it, put into words only for a check that did not pass.
    #[must_use]
    pub fn remedy_with(self, remedy: impl FnOnce() -> String) -> Self {
        match self.outcome {
            Outcome::Fail | Outcome::Warn => self.remedy(remedy()),
            Outcome::Pass | Outcome::Skip => self,
        }
    }

    /// Unit of the measured value and its limit (`USD`); also told in the message that
    /// [`Check::at_least`] and [`Check::at_most`] write.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        if let Some(mut measure) = self.measure.take() {
            let unit = unit.into();
            let sentence = Sentence::of(&measure);
            if self.message == sentence.with(measure.unit.as_deref()) {
                self.message = sentence.with(Some(&unit));
            }
            measure.unit = Some(unit);
            self.measure = Some(measure);
        }
        self
    }

    /// Another message than the one that [`Check::at_least`] and [`Check::at_most`] write.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = one_line(message.into());
        self
    }

    fn new(rule: impl Rules, outcome: Outcome, message: String) -> Self {
        Self {
            rule: rule.code().to_owned(),
            about: None,
            outcome,
            message: one_line(message),
            measure: None,
            remedy: None,
        }
    }

    fn measured(
        rule: impl Rules,
        name: String,
        actual: f64,
        limit: f64,
        comparison: Comparison,
    ) -> Self {
        // The contract has no place for a measure that is not finite, and nothing that is not
        // a number is within a limit.
        if !actual.is_finite() || !limit.is_finite() {
            let message = format!("{name} is {actual} against a limit of {limit}: not comparable");
            return Self::fail(rule, message);
        }
        let measure = Measure { name, actual, limit, comparison, unit: None };
        let outcome = if holds(&measure) { Outcome::Pass } else { Outcome::Fail };
        let message = Sentence::of(&measure).with(None);
        Self { measure: Some(measure), ..Self::new(rule, outcome, message) }
    }
}

/// Text without control characters: what scanners and people wrote may hold line breaks, and a
/// message is one line.
fn one_line(text: String) -> String {
    // Most texts are printable ASCII, which is told without looking at characters.
    let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if !printable && text.contains(char::is_control) {
        text.replace(char::is_control, " ")
    } else {
        text
    }
}

fn holds(measure: &Measure) -> bool {
    match measure.comparison {
        Comparison::AtLeast => measure.actual >= measure.limit,
        Comparison::AtMost => measure.actual <= measure.limit,
    }
}

/// A measure in words, but for its unit.
struct Sentence<'a> {
    name: &'a str,
    actual: String,
    relation: &'static str,
    limit: String,
}

impl<'a> Sentence<'a> {
    fn of(measure: &'a Measure) -> Self {
        let (actual, limit) = numbers(measure.actual, measure.limit);
        let relation = match (measure.comparison, holds(measure)) {
            (Comparison::AtLeast, true) => "at least the required",
            (Comparison::AtLeast, false) => "below the required",
            (Comparison::AtMost, true) => "within the limit of",
            (Comparison::AtMost, false) => "over the limit of",
        };
        Self { name: &measure.name, actual, relation, limit }
    }

    fn with(&self, unit: Option<&str>) -> String {
        let Self { name, actual, relation, limit } = self;
        let (space, unit) = unit.map_or(("", ""), |unit| (" ", unit));
        [name, " is ", actual, space, unit, ", ", relation, " ", limit, space, unit].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rule;

    #[derive(Clone, Copy)]
    struct Only;

    impl Rules for Only {
        fn code(self) -> &'static str {
            "only"
        }

        fn all() -> Vec<Rule> {
            Vec::new()
        }
    }

    #[test]
    fn a_limit_itself_is_within_the_limit() {
        assert_eq!(Check::at_least(Only, "auc", 0.9, 0.9).outcome, Outcome::Pass);
        assert_eq!(Check::at_most(Only, "cost", 5.0, 5.0).outcome, Outcome::Pass);
    }

    #[test]
    fn the_message_tells_value_limit_and_unit() {
        let check =
            Check::at_most(Only, "training cost", 5.5, 5.0).unit("USD").remedy("spend less");
        assert_eq!(check.outcome, Outcome::Fail);
        assert_eq!(check.message, "training cost is 5.5 USD, over the limit of 5 USD");
        assert_eq!(check.remedy.as_deref(), Some("spend less"));
        let check = Check::at_least(Only, "auc", 0.93, 0.95).message("too low").unit("points");
        assert_eq!(check.message, "too low");
        assert_eq!(check.measure.and_then(|measure| measure.unit).as_deref(), Some("points"));
    }

    #[test]
    fn a_number_that_is_not_finite_fails_without_a_measure() {
        for (actual, limit) in [(f64::NAN, 1.0), (f64::INFINITY, 1.0), (2.0, f64::NEG_INFINITY)] {
            let check = Check::at_least(Only, "auc", actual, limit);
            assert_eq!((check.outcome, check.measure), (Outcome::Fail, None));
        }
    }

    #[test]
    fn a_message_is_one_line() {
        let check = Check::fail(Only, "a\nb").about("c\td").remedy("e\r\n");
        assert_eq!((check.message.as_str(), check.about.as_deref()), ("a b", Some("c d")));
        assert_eq!(check.remedy.as_deref(), Some("e  "));
    }

    #[test]
    fn what_passes_needs_no_remedy() {
        assert_eq!(Check::pass(Only, "fine").remedy("do something").remedy, None);
    }
}
