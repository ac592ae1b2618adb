//! Write lockgate policies in Rust.
//!
//! A policy is a function from typed params and [`Evidence`] to [`Check`]s:
//!
//! ```
//! use lockgate_sdk::prelude::*;
//!
//! /// How long a model is to stay in its stage.
//! #[params]
//! pub struct Params {
//!     /// Days since the version was created.
//!     #[schemars(range(min = 1))]
//!     days: u32,
//! }
//!
//! #[derive(Clone, Copy, Rules)]
//! pub enum Rule {
//!     /// Old enough
//!     ///
//!     /// The version was created at least `days` ago. Fails when its age is not known.
//!     Tenure,
//! }
//!
//! /// Holds a version back until it is old enough.
//! #[policy(name = "tenure", rules = Rule)]
//! fn evaluate(params: Params, evidence: &Evidence) -> Result<Vec<Check>, Refusal> {
//!     let Some(created) = evidence.metadata().created_at else {
//!         return Ok(vec![Check::fail(Rule::Tenure, "the version does not say when it was made")]);
//!     };
//!     let age = evidence.request().at.saturating_sub(created) as f64 / 86_400.0;
//!     Ok(vec![Check::at_least(Rule::Tenure, "age", age, params.days.into()).unit("days")])
//! }
//!
//! let evidence = Evidence::builder().at(10 * 86_400).created_at(86_400).build();
//! let checks = evaluate(Params { days: 7 }, &evidence)?;
//! assert_eq!(checks[0].outcome, Outcome::Pass);
//! # Ok::<(), Refusal>(())
//! ```
//!
//! - [`params`] makes the struct readable from JSON and describes it by a JSON Schema.
//! - [`Rules`] gives each rule its code, title and description; a check cannot name any other.
//! - [`policy`] exports the function from a component built for wasm32.
//! - On wasm32 each method of [`Evidence`] calls the host, and a component imports the functions
//!   it calls and no others. Natively the same methods read what [`Evidence::builder`] was given,
//!   so that unit tests need no WebAssembly.
//!
//! A float in the evidence is always finite, a time is in seconds since the Unix epoch, and `None`
//! means "not known". None of these is a pass: a policy that misses a fact it needs answers with
//! a failed check, or with a [`Refusal`] when it cannot judge at all.

#[cfg(all(feature = "allocator", target_family = "wasm", not(target_feature = "atomics")))]
mod allocator;
#[allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated from the contract"
)]
mod bindings;
mod check;
mod date;
mod evidence;
#[doc(hidden)]
pub mod export;
mod items;
pub mod log;
mod number;
mod parse;
mod rules;
mod words;

pub use bindings::lockgate::policy::approvals::Approval;
pub use bindings::lockgate::policy::checks::{
    Check, Comparison, Description, Measure, Outcome, Refusal, Rule,
};
pub use bindings::lockgate::policy::cost::{Forecast, Purpose, Usage};
pub use bindings::lockgate::policy::history::Transition;
pub use bindings::lockgate::policy::metrics::Metric;
pub use bindings::lockgate::policy::model::{Artifact, CardSection, Metadata};
pub use bindings::lockgate::policy::promotion::{ModelVersion, Request, Target};
pub use bindings::lockgate::policy::security::{Category, Exploitability, Finding, Scan, Severity};
pub use bindings::lockgate::policy::sources::Source;
pub use bindings::lockgate::policy::tests::{Status as TestStatus, Test};
pub use date::{Date, InvalidDate};
pub use evidence::Evidence;
#[cfg(not(target_arch = "wasm32"))]
pub use evidence::EvidenceBuilder;
pub use lockgate_sdk_macros::{Rules, params, policy};
pub use number::{difference, number, tidy};
pub use parse::parse_params;
pub use rules::Rules;
pub use {schemars, serde};

/// What a policy needs: `use lockgate_sdk::prelude::*;`.
pub mod prelude {
    pub use crate::{
        Approval, Artifact, CardSection, Category, Check, Comparison, Date, Evidence,
        Exploitability, Finding, Forecast, Measure, Metadata, Metric, Outcome, Purpose, Refusal,
        Request, Rules, Scan, Severity, Source, Target, Test, TestStatus, Transition, Usage, log,
        params, policy,
    };
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
