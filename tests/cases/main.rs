//! Cases of policies: how they are read, run, told, accepted and made.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail as tests do")]

mod accepting;
mod benching;
#[path = "../cli/folder.rs"]
#[expect(dead_code, reason = "only a part of it is about cases")]
mod folder;
mod hostile;
mod making;
mod reading;
mod running;
mod schema;
mod watching;

use folder::{Folder, Ran};

/// The first lines of a case for `std/metric-threshold`, which asks for `auc` of at least 0.9.
pub(crate) const CASE: &str = "\
summary: the value is held against its limit
promotion: {model: fraud, version: \"3\", to: \"stage:Production\", at: 2026-11-23T12:00:00Z}
params: {metrics: [{name: auc, min: 0.9}]}
";

/// A case in which `auc` is 0.95, so that it is measured and within its limit.
pub(crate) fn case(expect: &str) -> String {
    format!("{CASE}evidence: {{metrics: [{{name: auc, value: 0.95}}]}}\nexpect:\n{expect}")
}

pub(crate) const PASSES: &str = "  outcome:
    - {rule: measured, about: auc, outcome: pass}
    - {rule: threshold, about: auc, outcome: pass, message: \"is 0\\\\.95\"}
";

pub(crate) const FAILS: &str = "  outcome:
    - {rule: measured, about: auc, outcome: pass}
    - {rule: threshold, about: auc, outcome: fail, message: below}
";

/// The cases of `folder` through `std/metric-threshold`.
pub(crate) fn test(folder: &Folder, more: &str) -> Ran {
    folder.run(&format!("policy test std/metric-threshold --cases cases {more}"))
}

/// One case, run on its own.
pub(crate) fn one(case: &str) -> Ran {
    test(&Folder::empty().file("cases/one.yaml", case), "")
}

/// Holds a text against a snapshot, but for what differs from machine to machine.
macro_rules! assert_told {
    ($text:expr) => {
        insta::with_settings!({filters => vec![
            (r"sha256:[0-9a-f]{64}", "sha256:DIGEST"),
            (r" *[\d,]+ fuel", " N fuel"),
            (r" *\b[\d.]+ (µs|ms|s)\b", " TIME"),
            (r#""(fuel|peak_memory|elapsed_us)": \d+"#, r#""$1": "N""#),
            (r#"time="[\d.]+""#, r#"time="TIME""#),
            (r#"uuid="[^"]+""#, r#"uuid="UUID""#),
            (r#"timestamp="[^"]+""#, r#"timestamp="TIME""#),
        ]}, {
            insta::assert_snapshot!($text);
        })
    };
}
pub(crate) use assert_told;
