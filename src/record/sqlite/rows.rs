//! Rows as SQLite gives them: a column may hold anything once somebody has been at the file.

use rusqlite::types::ValueRef;

use crate::model::Digest;
use crate::record::chain::{Checkpoint, Head};
use crate::record::row::{Linked, Row};
use crate::record::verify::Malformed;

/// The columns of an entry, in the order in which [`linked`] reads them.
pub(super) const COLUMNS: &str = "id, recorded_at, origin, asked_by, verdict, registry, model, \
     version, target, requested_by, writer, sequence, previous, hash, snapshot, document";

type Read<T> = Result<T, &'static str>;

pub(super) fn linked(row: &rusqlite::Row<'_>) -> Result<Linked, Malformed> {
    let columns = Columns(row);
    let read = || -> Read<Linked> {
        let mut inner = columns.row()?;
        inner.snapshot = columns.optional_digest("snapshot")?;
        Ok(Linked {
            writer: columns.text("writer")?,
            sequence: columns.count("sequence")?,
            previous: columns.digest("previous")?,
            hash: columns.digest("hash")?,
            row: inner,
        })
    };
    read().map_err(|column| columns.malformed(column))
}

/// From the columns writer, sequence and hash.
pub(super) fn head(row: &rusqlite::Row<'_>) -> Result<Head, Malformed> {
    let columns = Columns(row);
    let read = || -> Read<Head> {
        Ok(Head {
            writer: columns.text("writer")?,
            sequence: columns.count("sequence")?,
            hash: columns.digest("hash")?,
        })
    };
    read().map_err(|column| columns.malformed(column))
}

/// From all columns of a checkpoint, with its seal.
pub(super) fn checkpoint(row: &rusqlite::Row<'_>) -> Result<(Checkpoint, Digest), Malformed> {
    let columns = Columns(row);
    let read = || -> Read<(Checkpoint, Digest)> {
        let checkpoint = Checkpoint {
            writer: columns.text("writer")?,
            number: columns.count("number")?,
            sequence: columns.count("sequence")?,
            hash: columns.digest("hash")?,
            pruned_at: columns.count("pruned_at")?,
            previous: columns.digest("previous")?,
        };
        Ok((checkpoint, columns.digest("seal")?))
    };
    read().map_err(|column| columns.malformed(column))
}

struct Columns<'row, 'statement>(&'row rusqlite::Row<'statement>);

impl Columns<'_, '_> {
    fn value(&self, column: &'static str) -> Read<ValueRef<'_>> {
        self.0.get_ref(column).map_err(|_| column)
    }

    fn text(&self, column: &'static str) -> Read<String> {
        self.value(column)?.as_str().map(str::to_owned).map_err(|_| column)
    }

    fn optional_text(&self, column: &'static str) -> Read<Option<String>> {
        let text = self.value(column)?.as_str_or_null().map_err(|_| column)?;
        Ok(text.map(str::to_owned))
    }

    fn integer(&self, column: &'static str) -> Read<i64> {
        self.value(column)?.as_i64().map_err(|_| column)
    }

    fn count(&self, column: &'static str) -> Read<u64> {
        u64::try_from(self.integer(column)?).map_err(|_| column)
    }

    fn digest(&self, column: &'static str) -> Read<Digest> {
        self.optional_digest(column)?.ok_or(column)
    }

    fn optional_digest(&self, column: &'static str) -> Read<Option<Digest>> {
        let bytes = self.value(column)?.as_blob_or_null().map_err(|_| column)?;
        let digest = bytes.map(|bytes| bytes.try_into().map(Digest::from_bytes));
        digest.transpose().map_err(|_| column)
    }

    fn row(&self) -> Read<Row> {
        Ok(Row {
            id: self.text("id")?,
            recorded_at: self.integer("recorded_at")?,
            origin: self.text("origin")?,
            asked_by: self.optional_text("asked_by")?,
            verdict: self.text("verdict")?,
            registry: self.text("registry")?,
            model: self.text("model")?,
            version: self.text("version")?,
            target: self.text("target")?,
            requested_by: self.optional_text("requested_by")?,
            snapshot: None,
            document: self.text("document")?,
        })
    }

    fn malformed(&self, column: &'static str) -> Malformed {
        let (writer, sequence) = (self.text("writer").ok(), self.count("sequence").ok());
        Malformed { writer, sequence, column }
    }
}
