//! Which policy is meant, and where its cases are.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use crate::policy::PolicyRef;

/// Which policy is meant, and where its cases are.
#[derive(Args, Clone, Debug)]
pub(super) struct SubjectOptions {
    /// The policy: a component file, or `std/NAME`.
    #[arg(value_name = "FILE|std/NAME")]
    policy: String,

    /// Its cases: a folder of them, or the file of one [default: the folder `cases` beside the
    /// component].
    #[arg(long, value_name = "DIR|FILE")]
    cases: Option<PathBuf>,
}

/// A policy and its cases.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) reference: PolicyRef,
    pub(super) cases: PathBuf,
}

impl SubjectOptions {
    pub(super) fn resolve(&self) -> anyhow::Result<Subject> {
        let reference = PolicyRef::from(self.policy.as_str());
        let cases = match (&self.cases, &reference) {
            (Some(cases), _) => cases.clone(),
            (None, PolicyRef::Path(component)) => {
                let beside = component.with_file_name("cases");
                if !beside.is_dir() {
                    let beside = beside.display();
                    bail!("there are no cases in `{beside}`; say where they are with --cases");
                }
                beside
            }
            (None, PolicyRef::Standard(name)) => {
                bail!("say with --cases where the cases of `std/{name}` are");
            }
        };
        Ok(Subject { reference, cases })
    }
}
