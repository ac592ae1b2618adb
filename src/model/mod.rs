//! The words everything else speaks: promotions, evidence, checks and the reasons why a
//! decision could not be made. Plain data; no I/O, no clock.

pub(crate) mod canonical;
mod check;
mod decision_id;
mod digest;
mod evidence;
mod kind;
mod origin;
mod promotion;
mod run;
mod snapshot;
mod time;
mod undecided;

pub use check::{Check, Comparison, Description, Measure, Outcome, Rule};
pub use decision_id::{DecisionId, InvalidDecisionId};
pub use digest::{Digest, InvalidDigest};
pub use evidence::{
    Approval, Artifact, CardSection, Category, Document, Exploitability, Finding, Forecast,
    Metadata, Metric, Purpose, Scan, Severity, Source, SourceName, Test, TestStatus, Transition,
    Unmeasured, Usage,
};
pub use kind::Kind;
pub use origin::{Origin, UnknownOrigin};
pub use promotion::{InvalidTarget, ModelVersion, Promotion, Target};
pub use run::{LogLevel, LogLine, RunUsage};
pub use snapshot::Snapshot;
pub use time::{InvalidTimestamp, Timestamp, spoken};
pub use undecided::{Budget, Undecided};
