//! What leads to which verdict, and what can never lead to `allow`.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod combining;
mod evidence;
mod properties;
mod scenario;
mod waivers;
