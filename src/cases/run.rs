//! Cases through a policy, on all processors, with the results in the order of the cases.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::expected;
use super::{Case, CaseFile, Difference, Folder};
use crate::config::{Diagnostics, ParamsError, ParamsSchema};
use crate::model::{Check, LogLine, Outcome, RunUsage, Undecided};
use crate::policy::{Evaluation, Policy};

/// A policy, and what its cases are held against.
pub struct Suite<'a> {
    policy: &'a dyn Policy,
    schema: ParamsSchema,
}

/// What came of a case.
#[derive(Debug)]
pub struct CaseResult {
    /// Its name.
    pub name: String,
    /// Its file, as messages call it.
    pub file: String,
    /// What it shows; none when it could not be read.
    pub summary: Option<String>,
    /// How it ended.
    pub status: Status,
    /// What was expected, in words.
    pub expected: Vec<String>,
    /// The rules of which a check was expected, each with what it was to come to.
    pub rules: Vec<(String, Outcome)>,
    /// What the policy answered; none when it was not asked.
    pub answer: Option<Result<Vec<Check>, Undecided>>,
    /// What the run took.
    pub usage: RunUsage,
    /// What the policy logged.
    pub log: Vec<LogLine>,
}

/// How a case ended.
#[derive(Debug)]
pub enum Status {
    /// As expected.
    Passed,
    /// Otherwise.
    Failed(Difference),
    /// It could not be read, so nothing was asked.
    Unreadable(Diagnostics),
}

impl<'a> Suite<'a> {
    /// # Errors
    /// A schema of params that cannot be used.
    pub fn new(policy: &'a dyn Policy) -> Result<Self, ParamsError> {
        let schema = ParamsSchema::new(&policy.description().params_schema)?;
        // Whether it can be used at all shows when something is held against it.
        match schema.check(&serde_json::Value::Object(serde_json::Map::new())) {
            Err(error @ ParamsError::Schema(_)) => Err(error),
            Ok(()) | Err(ParamsError::Params(_)) => Ok(Self { policy, schema }),
        }
    }

    /// Puts a case before the policy. Params that do not fit its schema are refused before it sees
    /// them, as in a gate.
    #[must_use]
    pub fn ask(&self, case: &Case) -> Evaluation {
        match self.schema.check(&case.params) {
            Ok(()) => case.evaluate(self.policy),
            Err(error) => Evaluation {
                result: Err(Undecided::ParamsRefused { detail: error.to_string() }),
                usage: RunUsage::default(),
                log: Vec::new(),
            },
        }
    }

    /// Reads a case, asks the policy, and holds the answer against what is expected.
    #[must_use]
    pub fn judge(&self, folder: &Folder, file: &CaseFile) -> CaseResult {
        let read = folder.read(file).and_then(|case| {
            case.check_rules(self.policy.description())?;
            Ok(case)
        });
        let case = match read {
            Ok(case) => case,
            Err(diagnostics) => return CaseResult::unreadable(folder, file, diagnostics),
        };
        let Evaluation { result, usage, log } = self.ask(&case);
        let difference = case.difference(&result);
        let status =
            if difference.is_empty() { Status::Passed } else { Status::Failed(difference) };
        CaseResult {
            name: case.name.clone(),
            file: case.file().to_owned(),
            status,
            expected: case.expected.told(),
            rules: case.expected_rules().map(|(rule, it)| (rule.to_owned(), it)).collect(),
            summary: Some(case.summary),
            answer: Some(result),
            usage,
            log,
        }
    }
}

impl CaseResult {
    fn unreadable(folder: &Folder, file: &CaseFile, diagnostics: Diagnostics) -> Self {
        Self {
            name: file.name.clone(),
            file: folder.shown(file),
            summary: None,
            status: Status::Unreadable(diagnostics),
            expected: Vec::new(),
            rules: Vec::new(),
            answer: None,
            usage: RunUsage { fuel: 0, peak_memory: 0, elapsed: Duration::ZERO },
            log: Vec::new(),
        }
    }

    /// What the policy said, in words.
    #[must_use]
    pub fn got(&self) -> Vec<String> {
        self.answer.as_ref().map(expected::told).unwrap_or_default()
    }
}

/// Judges every case of a folder. `go_on` is told after each how many are done, and says whether
/// to go on; none comes of those that are left out for it.
#[must_use]
pub fn run(
    suite: &Suite<'_>,
    folder: &Folder,
    go_on: &(dyn Fn(usize) -> bool + Sync),
) -> Option<Vec<CaseResult>> {
    let files = folder.files();
    let (next, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let stopped = AtomicBool::new(false);
    let work = || {
        let mut results = Vec::new();
        while !stopped.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = files.get(index) else { break };
            results.push((index, suite.judge(folder, file)));
            if !go_on(finished.fetch_add(1, Ordering::Relaxed).saturating_add(1)) {
                stopped.store(true, Ordering::Relaxed);
            }
        }
        results
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(files.len());
    let mut results = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut results = work();
        for other in others {
            // A thread that ended abnormally has taken cases with it, which is seen below.
            results.extend(other.join().unwrap_or_default());
        }
        results
    });
    if stopped.into_inner() {
        return None;
    }
    results.sort_by_key(|(index, _)| *index);
    let mut results = results.into_iter().peekable();
    let result = |(index, file): (usize, &CaseFile)| {
        results.next_if(|(at, _)| *at == index).map_or_else(
            || {
                let why = "running it ended abnormally".to_owned();
                let diagnostics = Diagnostics::of_file(&folder.shown(file), why);
                CaseResult::unreadable(folder, file, diagnostics)
            },
            |(_, result)| result,
        )
    };
    Some(files.iter().enumerate().map(result).collect())
}
