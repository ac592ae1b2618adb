use std::collections::BTreeMap;

use super::CaseResult;
use crate::model::{Description, Outcome};

/// Which rules of a policy its cases hold it to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Every rule, in the order of the policy's own description.
    pub rules: Vec<CoveredRule>,
}

/// The cases of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoveredRule {
    /// Its code.
    pub code: String,
    /// Names of the cases that expect a check of it.
    pub exercised: Vec<String>,
    /// Names of the cases that expect it to be broken.
    pub broken: Vec<String>,
}

impl Coverage {
    /// What the cases expect of each rule. What a policy says without being held to it does not
    /// count: it could stop saying so, and nobody would notice.
    #[must_use]
    pub fn of(description: &Description, results: &[CaseResult]) -> Self {
        let mut named: BTreeMap<&str, (Vec<String>, Vec<String>)> = BTreeMap::new();
        for result in results {
            for (rule, outcome) in &result.rules {
                let (exercised, broken) = named.entry(rule).or_default();
                if exercised.last() != Some(&result.name) {
                    exercised.push(result.name.clone());
                }
                if *outcome == Outcome::Fail && broken.last() != Some(&result.name) {
                    broken.push(result.name.clone());
                }
            }
        }
        let rules = description.rules.iter().map(|rule| {
            let (exercised, broken) = named.remove(rule.code.as_str()).unwrap_or_default();
            CoveredRule { code: rule.code.clone(), exercised, broken }
        });
        Self { rules: rules.collect() }
    }

    /// Codes of the rules that no case expects a check of.
    pub fn unexercised(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter(|rule| rule.exercised.is_empty()).map(|rule| rule.code.as_str())
    }

    /// Codes of the rules that some case expects a check of, and none to be broken.
    pub fn unbroken(&self) -> impl Iterator<Item = &str> {
        let rules = self.rules.iter();
        rules
            .filter(|rule| !rule.exercised.is_empty() && rule.broken.is_empty())
            .map(|rule| rule.code.as_str())
    }
}
