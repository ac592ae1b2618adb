//! The record in a PostgreSQL database.

use super::list::{Filter, Page, Recorded};
use super::location::Database;
use super::queue::Queue;
use super::row::Row;
use super::{Head, Options, Pruned, RecordError, Verification};
use crate::model::{DecisionId, Digest, Timestamp};

#[derive(Clone)]
pub(super) struct Store(());

fn todo<T>() -> Result<T, RecordError> {
    Err(RecordError::Closed)
}

impl Store {
    pub(super) async fn open(_: &Database, _: Options) -> Result<Self, RecordError> {
        todo()
    }
    pub(super) fn queue(&self) -> Result<&Queue, RecordError> {
        todo()
    }
    pub(super) async fn get(&self, _: DecisionId) -> Result<Option<Recorded>, RecordError> {
        todo()
    }
    pub(super) async fn snapshot(&self, _: Digest) -> Result<Option<Vec<u8>>, RecordError> {
        todo()
    }
    pub(super) async fn list(&self, _: &Filter, _: Page) -> Result<Vec<Row>, RecordError> {
        todo()
    }
    pub(super) async fn verify(&self, _: &[Head]) -> Result<Verification, RecordError> {
        todo()
    }
    pub(super) async fn prune(&self, _: Timestamp) -> Result<Pruned, RecordError> {
        todo()
    }
    pub(super) async fn close(&self) {}
}
