//! The command as users and pipelines meet it: exit codes, messages, files.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod bench;
mod commands;
mod decisions;
mod documents;
mod reports;
