//! What hostile components get: the right reason, an undecided verdict, and a host that goes on
//! as if nothing had happened.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod cache;
mod compile;
mod files;
mod guests;
mod support;
