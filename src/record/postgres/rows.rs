//! Rows as PostgreSQL gives them.

use tokio_postgres::Row as Columns;
use tokio_postgres::types::FromSql;

use crate::model::Digest;
use crate::record::chain::{Checkpoint, Head};
use crate::record::row::{Linked, Row};
use crate::record::verify::Malformed;

/// The columns that [`linked`] reads.
pub(super) const COLUMNS: &str = "id, recorded_at, origin, asked_by, verdict, registry, model, \
     version, target, requested_by, writer, sequence, previous, hash, snapshot, document";

type Read<T> = Result<T, &'static str>;

pub(super) fn linked(columns: &Columns) -> Result<Linked, Malformed> {
    let read = || -> Read<Linked> {
        let mut inner = row(columns)?;
        let snapshot = value::<Option<&[u8]>>(columns, "snapshot")?;
        inner.snapshot = snapshot.map(|bytes| digest(bytes, "snapshot")).transpose()?;
        let Head { writer, sequence, hash } = place(columns)?;
        let previous = digest(value(columns, "previous")?, "previous")?;
        Ok(Linked { writer, sequence, previous, hash, row: inner })
    };
    read().map_err(|column| malformed(columns, column))
}

/// From the columns writer, sequence and hash.
pub(super) fn head(columns: &Columns) -> Result<Head, Malformed> {
    place(columns).map_err(|column| malformed(columns, column))
}

/// From all columns of a checkpoint, with its seal.
pub(super) fn checkpoint(columns: &Columns) -> Result<(Checkpoint, Digest), Malformed> {
    let read = || -> Read<(Checkpoint, Digest)> {
        let Head { writer, sequence, hash } = place(columns)?;
        let checkpoint = Checkpoint {
            writer,
            number: count(columns, "number")?,
            sequence,
            hash,
            pruned_at: count(columns, "pruned_at")?,
            previous: digest(value(columns, "previous")?, "previous")?,
        };
        Ok((checkpoint, digest(value(columns, "seal")?, "seal")?))
    };
    read().map_err(|column| malformed(columns, column))
}

fn place(columns: &Columns) -> Read<Head> {
    Ok(Head {
        writer: value(columns, "writer")?,
        sequence: count(columns, "sequence")?,
        hash: digest(value(columns, "hash")?, "hash")?,
    })
}

fn row(columns: &Columns) -> Read<Row> {
    Ok(Row {
        id: value(columns, "id")?,
        recorded_at: value(columns, "recorded_at")?,
        origin: value(columns, "origin")?,
        asked_by: value(columns, "asked_by")?,
        verdict: value(columns, "verdict")?,
        registry: value(columns, "registry")?,
        model: value(columns, "model")?,
        version: value(columns, "version")?,
        target: value(columns, "target")?,
        requested_by: value(columns, "requested_by")?,
        snapshot: None,
        document: value(columns, "document")?,
    })
}

fn value<'row, T: FromSql<'row>>(columns: &'row Columns, column: &'static str) -> Read<T> {
    columns.try_get(column).map_err(|_| column)
}

fn count(columns: &Columns, column: &'static str) -> Read<u64> {
    u64::try_from(value::<i64>(columns, column)?).map_err(|_| column)
}

fn digest(bytes: &[u8], column: &'static str) -> Read<Digest> {
    bytes.try_into().map(Digest::from_bytes).map_err(|_| column)
}

fn malformed(columns: &Columns, column: &'static str) -> Malformed {
    let writer = value(columns, "writer").ok();
    Malformed { writer, sequence: count(columns, "sequence").ok(), column }
}
