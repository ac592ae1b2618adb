//! What a policy has to say, and how that is held against what it says.

use std::collections::{BTreeMap, BTreeSet};

use super::alignment::{Step, align};
use super::pattern::Pattern;
use super::raw;
use crate::model::{Check, Outcome, Undecided};

/// What the policy has to say.
#[derive(Clone, Debug)]
pub(super) enum Expected {
    /// Every check, in its order.
    Outcome(Vec<ExpectedCheck>),
    /// What some rules come to.
    Rules(BTreeMap<String, ExpectedRule>),
    /// It refuses to judge.
    Refusal(Refused, Pattern),
    /// There is no answer.
    Undecided(&'static str, Option<Pattern>),
}

/// A check that the policy has to make.
#[derive(Clone, Debug)]
pub(super) struct ExpectedCheck {
    pub(super) rule: String,
    pub(super) about: Option<String>,
    pub(super) outcome: Outcome,
    pub(super) message: Option<Pattern>,
}

/// What one rule comes to.
#[derive(Clone, Debug)]
pub(super) enum ExpectedRule {
    /// There is a check of it, and all come to this.
    All(Outcome),
    /// There is no check of it.
    None,
    /// Every check of it, in their order.
    Checks(Vec<ExpectedCheck>),
}

/// What a policy may refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Params,
    Evidence,
}

/// How an answer differs from what was expected. Empty when it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The lines of both, in their order.
    pub lines: Vec<Line>,
}

/// One line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which side it is on.
    pub sign: Sign,
    /// What was expected, or what the policy said.
    pub text: String,
}

/// Which side a line is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// As expected.
    Same,
    /// Expected, and not said.
    Expected,
    /// Said, and not expected.
    Got,
}

/// A value of the case that means nothing: its JSON pointer below `expect`, and why.
pub(super) type Fault = (String, String);

impl Expected {
    pub(super) fn read(raw: raw::Expect) -> Result<Self, Fault> {
        let raw::Expect { outcome, rules, refusal, undecided } = raw;
        match (outcome, rules, refusal, undecided) {
            (Some(checks), None, None, None) => Ok(Self::Outcome(
                checks
                    .into_iter()
                    .enumerate()
                    .map(|(index, raw::ExpectedCheck { rule, about, outcome, message })| {
                        let at = format!("/outcome/{index}");
                        expected_check(rule, raw::CheckOfRule { about, outcome, message }, &at)
                    })
                    .collect::<Result<_, _>>()?,
            )),
            (None, Some(rules), None, None) => Ok(Self::Rules(
                rules
                    .into_iter()
                    .map(|(rule, expected)| {
                        let expected = expected_rule(&rule, expected)?;
                        Ok((rule, expected))
                    })
                    .collect::<Result<_, Fault>>()?,
            )),
            (None, None, Some(raw::ExpectedRefusal { params, evidence }), None) => {
                let (refused, key, written) = match (params, evidence) {
                    (Some(written), None) => (Refused::Params, "params", written),
                    (None, Some(written)) => (Refused::Evidence, "evidence", written),
                    _ => {
                        let message = "`refusal` takes one of `params` and `evidence`".to_owned();
                        return Err(("/refusal".to_owned(), message));
                    }
                };
                Ok(Self::Refusal(refused, pattern(&written, &format!("/refusal/{key}"))?))
            }
            (None, None, None, Some(reason)) => Ok(match reason {
                raw::ExpectedReason::Code(code) => Self::Undecided(code.as_str(), None),
                raw::ExpectedReason::Said(raw::SaidReason { reason, message }) => {
                    let message = pattern(&message, "/undecided/message")?;
                    Self::Undecided(reason.as_str(), Some(message))
                }
            }),
            _ => {
                let message = "`expect` takes one of `outcome`, `rules`, `refusal` and `undecided`";
                Err((String::new(), message.to_owned()))
            }
        }
    }

    /// Whether no check is expected, as there is to be no answer.
    pub(super) const fn refuses(&self) -> bool {
        matches!(self, Self::Refusal(..) | Self::Undecided(..))
    }

    /// The rules of which a check is expected, each with what it comes to.
    pub(super) fn rules(&self) -> BTreeSet<(&str, Outcome)> {
        match self {
            Self::Outcome(checks) => {
                checks.iter().map(|check| (check.rule.as_str(), check.outcome)).collect()
            }
            Self::Rules(rules) => rules
                .iter()
                .flat_map(|(rule, expected)| {
                    let outcomes: Vec<Outcome> = match expected {
                        ExpectedRule::All(outcome) => vec![*outcome],
                        ExpectedRule::None => Vec::new(),
                        ExpectedRule::Checks(checks) => {
                            checks.iter().map(|check| check.outcome).collect()
                        }
                    };
                    outcomes.into_iter().map(|outcome| (rule.as_str(), outcome))
                })
                .collect(),
            Self::Refusal(..) | Self::Undecided(..) => BTreeSet::new(),
        }
    }

    /// Every rule that is named, and the JSON pointer below `expect` of where.
    pub(super) fn named_rules(&self) -> Vec<(&str, String)> {
        match self {
            Self::Outcome(checks) => {
                let named = checks.iter().enumerate();
                named
                    .map(|(index, check)| (check.rule.as_str(), format!("/outcome/{index}/rule")))
                    .collect()
            }
            Self::Rules(rules) => {
                rules.keys().map(|rule| (rule.as_str(), format!("/rules/{rule}"))).collect()
            }
            Self::Refusal(..) | Self::Undecided(..) => Vec::new(),
        }
    }

    /// Holds an answer against it.
    pub(super) fn difference(&self, answer: &Result<Vec<Check>, Undecided>) -> Difference {
        let lines = match (self, answer) {
            (Self::Outcome(expected), Ok(checks)) => {
                in_order(expected, &checks.iter().collect::<Vec<_>>())
            }
            (Self::Rules(rules), Ok(checks)) => {
                rules.iter().flat_map(|(rule, expected)| expected.lines(rule, checks)).collect()
            }
            (Self::Refusal(refused, pattern), Err(reason))
                if refused.detail(reason).is_some_and(|detail| pattern.matches(detail)) =>
            {
                Vec::new()
            }
            (Self::Undecided(code, message), Err(reason))
                if reason.code() == *code
                    && message.as_ref().is_none_or(|it| it.matches(&reason.to_string())) =>
            {
                Vec::new()
            }
            _ => {
                let expected = self.told().into_iter().map(Line::expected);
                expected.chain(told(answer).into_iter().map(Line::got)).collect()
            }
        };
        let differs = lines.iter().any(|line| line.sign != Sign::Same);
        Difference { lines: if differs { lines } else { Vec::new() } }
    }

    /// In words, a line for each check.
    pub(super) fn told(&self) -> Vec<String> {
        match self {
            Self::Outcome(checks) => checks.iter().map(ExpectedCheck::told).collect(),
            Self::Rules(rules) => {
                rules.iter().flat_map(|(rule, expected)| expected.told(rule)).collect()
            }
            Self::Refusal(Refused::Params, pattern) => {
                vec![format!("refusal of the params{}", matching(Some(pattern)))]
            }
            Self::Refusal(Refused::Evidence, pattern) => {
                vec![format!("refusal of the evidence{}", matching(Some(pattern)))]
            }
            Self::Undecided(code, message) => {
                vec![format!("undecided {code}{}", matching(message.as_ref()))]
            }
        }
    }
}

impl ExpectedCheck {
    pub(super) fn fits(&self, check: &Check) -> bool {
        self.rule == check.rule
            && self.about == check.about
            && self.outcome == check.outcome
            && self.message.as_ref().is_none_or(|message| message.matches(&check.message))
    }

    fn told(&self) -> String {
        let title = title(&self.rule, self.about.as_deref());
        format!("{} {title}{}", word(self.outcome), matching(self.message.as_ref()))
    }
}

impl ExpectedRule {
    /// The lines where the checks of a rule are others; none where they are not.
    fn lines(&self, rule: &str, checks: &[Check]) -> Vec<Line> {
        let of_rule: Vec<&Check> = checks.iter().filter(|check| check.rule == rule).collect();
        let fits = match self {
            Self::All(outcome) => {
                !of_rule.is_empty() && of_rule.iter().all(|check| check.outcome == *outcome)
            }
            Self::None => of_rule.is_empty(),
            Self::Checks(expected) => return in_order(expected, &of_rule),
        };
        if fits {
            return Vec::new();
        }
        let expected = self.told(rule).into_iter().map(Line::expected);
        let got = match of_rule.as_slice() {
            [] => vec![format!("no check of {rule}")],
            checks => checks.iter().map(|check| said(check)).collect(),
        };
        expected.chain(got.into_iter().map(Line::got)).collect()
    }

    pub(super) fn fits(&self, rule: &str, checks: &[Check]) -> bool {
        self.lines(rule, checks).iter().all(|line| line.sign == Sign::Same)
    }

    fn told(&self, rule: &str) -> Vec<String> {
        match self {
            Self::All(outcome) => vec![format!("{} {rule}", word(*outcome))],
            Self::None => vec![format!("no check of {rule}")],
            Self::Checks(checks) => checks.iter().map(ExpectedCheck::told).collect(),
        }
    }
}

impl Refused {
    /// Why it was refused; none when something else happened.
    const fn detail(self, reason: &Undecided) -> Option<&String> {
        match (self, reason) {
            (Self::Params, Undecided::ParamsRefused { detail })
            | (Self::Evidence, Undecided::EvidenceRefused { detail }) => Some(detail),
            _ => None,
        }
    }
}

impl Line {
    pub(super) const fn expected(text: String) -> Self {
        Self { sign: Sign::Expected, text }
    }

    pub(super) const fn got(text: String) -> Self {
        Self { sign: Sign::Got, text }
    }
}

impl Difference {
    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// The word for an outcome.
pub(super) const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::Warn => "warn",
        Outcome::Skip => "skip",
    }
}

/// An answer in words, a line for each check.
pub(super) fn told(answer: &Result<Vec<Check>, Undecided>) -> Vec<String> {
    match answer {
        Ok(checks) => checks.iter().map(said).collect(),
        Err(Undecided::ParamsRefused { detail }) => {
            vec![format!("refusal of the params  {detail}")]
        }
        Err(Undecided::EvidenceRefused { detail }) => {
            vec![format!("refusal of the evidence  {detail}")]
        }
        Err(reason) => vec![format!("undecided {}  {reason}", reason.code())],
    }
}

fn in_order(expected: &[ExpectedCheck], checks: &[&Check]) -> Vec<Line> {
    let fits = |one: usize, other: usize| match (expected.get(one), checks.get(other)) {
        (Some(expected), Some(check)) => expected.fits(check),
        _ => false,
    };
    let line = |step| match step {
        Step::Both(_, other) => {
            checks.get(other).map(|check| Line { sign: Sign::Same, text: said(check) })
        }
        Step::First(one) => expected.get(one).map(|check| Line::expected(check.told())),
        Step::Second(other) => checks.get(other).map(|check| Line::got(said(check))),
    };
    align(expected.len(), checks.len(), fits).into_iter().filter_map(line).collect()
}

fn said(check: &Check) -> String {
    let title = title(&check.rule, check.about.as_deref());
    format!("{} {title}  {}", word(check.outcome), check.message)
}

fn title(rule: &str, about: Option<&str>) -> String {
    about.map_or_else(|| rule.to_owned(), |about| format!("{rule}: {about}"))
}

fn matching(pattern: Option<&Pattern>) -> String {
    pattern.map(|pattern| format!("  /{}/", pattern.as_str())).unwrap_or_default()
}

fn expected_check(rule: String, raw: raw::CheckOfRule, at: &str) -> Result<ExpectedCheck, Fault> {
    let raw::CheckOfRule { about, outcome, message } = raw;
    let message = message.map(|written| pattern(&written, &format!("{at}/message"))).transpose()?;
    Ok(ExpectedCheck { rule, about, outcome: outcome.into(), message })
}

fn expected_rule(rule: &str, raw: raw::ExpectedRule) -> Result<ExpectedRule, Fault> {
    match raw {
        raw::ExpectedRule::All(word) => {
            Ok(word.outcome().map_or(ExpectedRule::None, ExpectedRule::All))
        }
        raw::ExpectedRule::Checks(checks) => Ok(ExpectedRule::Checks(
            checks
                .into_iter()
                .enumerate()
                .map(|(index, check)| {
                    expected_check(rule.to_owned(), check, &format!("/rules/{rule}/{index}"))
                })
                .collect::<Result<_, _>>()?,
        )),
    }
}

fn pattern(written: &str, at: &str) -> Result<Pattern, Fault> {
    Pattern::new(written).map_err(|message| (at.to_owned(), message))
}
