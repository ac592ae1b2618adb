//! Cases of policies: how they are read, run, told, accepted and made.

#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests may fail as tests do")]

mod schema;
