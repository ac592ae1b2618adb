//! Evidence with what its kind must have, and everything else not known: a start for tests,
//! which fill in the rest (`Metric { slice: Some(…), ..Metric::new("auc", 0.9) }`). And what
//! policies often ask of one item.

use crate::{
    Approval, Artifact, CardSection, Category, Exploitability, Finding, Forecast, Metadata, Metric,
    Purpose, Scan, Severity, Source, Target, Test, TestStatus, Transition, Usage,
};

impl Default for Metadata {
    /// Nothing is known.
    fn default() -> Self {
        Self {
            owner: None,
            license: None,
            framework: None,
            description: None,
            created_at: None,
            source_run: None,
            source_commit: None,
            training_dataset: None,
        }
    }
}

impl Artifact {
    /// A file of the model.
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), format: None, size: None, digest: None }
    }
}

impl CardSection {
    /// A section of the model card.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

impl Metric {
    /// A metric of the whole dataset.
    pub fn new(name: impl Into<String>, value: f64) -> Self {
        Self {
            name: name.into(),
            value,
            dataset: None,
            slice: None,
            sample_size: None,
            standard_error: None,
            higher_is_better: None,
            partial: false,
            recorded_at: None,
        }
    }

    /// Its name for people, with dataset and slice: `auc (validation, region=eu)`.
    #[must_use]
    pub fn label(&self) -> String {
        match (&self.dataset, &self.slice) {
            (None, None) => self.name.clone(),
            (Some(part), None) | (None, Some(part)) => format!("{} ({part})", self.name),
            (Some(dataset), Some(slice)) => format!("{} ({dataset}, {slice})", self.name),
        }
    }
}

impl Test {
    /// A test that is not marked as critical.
    pub fn new(suite: impl Into<String>, name: impl Into<String>, status: TestStatus) -> Self {
        Self { suite: suite.into(), name: name.into(), status, critical: false, message: None }
    }
}

impl Usage {
    /// Usage of unknown size and cost.
    #[must_use]
    pub const fn new(purpose: Purpose) -> Self {
        Self {
            purpose,
            gpu_model: None,
            gpu_hours: None,
            utilization: None,
            amount: None,
            currency: None,
            started_at: None,
            ended_at: None,
        }
    }
}

impl Forecast {
    /// An expected cost.
    pub fn new(metric: impl Into<String>, amount: f64, currency: impl Into<String>) -> Self {
        Self { metric: metric.into(), amount, currency: currency.into() }
    }
}

impl Scan {
    /// A scan that looked for these categories, skipped nothing and met no error.
    pub fn new(scanner: impl Into<String>, looked_for: &[Category]) -> Self {
        Self {
            scanner: scanner.into(),
            version: None,
            target: None,
            target_digest: None,
            finished_at: None,
            scanned: None,
            looked_for: looked_for.to_vec(),
            skipped: 0,
            errors: Vec::new(),
        }
    }

    /// Why finding nothing in this scan would not mean clean: it met errors, passed over files,
    /// or looked at nothing. None when it went through.
    #[must_use]
    pub fn shortcoming(&self) -> Option<String> {
        let more = |count: usize| {
            if count > 1 { format!(" and {} more", count - 1) } else { String::new() }
        };
        if let Some(error) = self.errors.first() {
            Some(format!("met an error: {error}{}", more(self.errors.len())))
        } else if self.skipped > 0 {
            Some(format!("passed over {} files", self.skipped))
        } else if self.scanned == Some(0) {
            Some("looked at nothing".to_owned())
        } else {
            None
        }
    }

    /// The scanner and what it scanned, for people: `trivy of `image:1``.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.target {
            Some(target) => format!("{} of `{target}`", self.scanner),
            None => self.scanner.clone(),
        }
    }
}

impl Finding {
    /// A finding of the scanner `scanner`, titled by its identifier.
    pub fn new(id: impl Into<String>, category: Category, severity: Severity) -> Self {
        let id = id.into();
        Self {
            scanner: "scanner".to_owned(),
            title: id.clone(),
            id,
            category,
            severity,
            component: None,
            installed: None,
            fixed_in: None,
            location: None,
            exploitability: Exploitability::Unstated,
        }
    }
}

impl Approval {
    /// An approval in no particular role; `at` is in seconds since the Unix epoch.
    pub fn new(approver: impl Into<String>, at: u64) -> Self {
        Self { approver: approver.into(), role: None, at, reference: None }
    }
}

impl Transition {
    /// A transition by nobody known; `at` is in seconds since the Unix epoch.
    pub fn new(version: impl Into<String>, target: Target, at: u64) -> Self {
        Self { version: version.into(), target, at, by: None }
    }
}

impl Source {
    /// A source of no known age and without a signature.
    pub fn new(
        name: impl Into<String>,
        format: impl Into<String>,
        digest: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            format: format.into(),
            digest: digest.into(),
            collected_at: None,
            signed_by: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_that_did_not_see_everything_says_so() {
        let scan = Scan::new("trivy", &[Category::Vulnerability]);
        assert_eq!(scan.shortcoming(), None);
        for (scan, words) in [
            (Scan { errors: vec!["a".into(), "b".into()], ..scan.clone() }, "a and 1 more"),
            (Scan { skipped: 3, ..scan.clone() }, "passed over 3 files"),
            (Scan { scanned: Some(0), ..scan }, "looked at nothing"),
        ] {
            assert!(scan.shortcoming().is_some_and(|text| text.contains(words)), "{words}");
        }
    }

    #[test]
    fn a_metric_is_told_apart_by_dataset_and_slice() {
        let metric = Metric::new("auc", 0.9);
        assert_eq!(metric.label(), "auc");
        let metric = Metric { dataset: Some("test".into()), ..metric };
        assert_eq!(metric.label(), "auc (test)");
        assert_eq!(Metric { slice: Some("a=b".into()), ..metric }.label(), "auc (test, a=b)");
    }
}
