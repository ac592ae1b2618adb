//! The record against real databases: SQLite in files, and PostgreSQL as Debian has it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests may fail as tests do"
)]

mod appending;
mod cluster;
mod faults;
mod finding;
mod killed;
mod places;
mod pruning;
mod schema;
mod tampering;
mod tls;
mod writers;

/// Each of these functions as a test for each database.
macro_rules! on_every_database {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::places::Place::sqlite()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::places::Place::postgres()).await;
            })*
        }
    };
}
use on_every_database;
