//! lockgate as its users meet it: the real binary, its exit codes and what it says.
#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail as tests do")]

mod cache;
mod config;
mod decision;
mod documentation;
mod evidence;
mod folder;
mod help;
mod hostile;
mod policy;
mod reports;
mod reproducible;
mod undecided;
mod usage;
mod verdicts;
mod waivers;
