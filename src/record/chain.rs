//! The chain of hashes that ties every row to those before it.
//!
//! ```text
//! content = SHA-256("lockgate.dev/record/content/v1" 00, every column but the link)
//! hash    = SHA-256("lockgate.dev/record/entry/v1" 00, writer, sequence, previous, content)
//! ```
//!
//! Every field goes in with its length before it, and one that can be absent with a byte that says
//! whether it is, so that no two rows have the same encoding. Of a writer's first row `previous` is
//! the hash of the writer's id.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::row::Row;
use crate::model::Digest;

const CONTENT: &[u8] = b"lockgate.dev/record/content/v1\0";
const ENTRY: &[u8] = b"lockgate.dev/record/entry/v1\0";
const WRITER: &[u8] = b"lockgate.dev/record/writer/v1\0";
const CHECKPOINT: &[u8] = b"lockgate.dev/record/checkpoint/v1\0";

/// The end of one writer's chain: with it, all that the writer wrote before is told from any
/// other history. Kept somewhere else, it shows a record that was cut or written anew.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Head {
    /// Id of the writer.
    pub writer: String,
    /// Number of its last row; 0 when it has none.
    pub sequence: u64,
    /// Hash of its last row.
    pub hash: Digest,
}

/// Text that is no head.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is not a head; write it as WRITER:SEQUENCE:sha256:HEX, as `lockgate decision verify-log --format heads` prints it"
)]
pub struct InvalidHead(pub String);

impl Head {
    /// Of a writer that has written nothing.
    pub(super) fn of_new(writer: String) -> Self {
        let hash = genesis(&writer);
        Self { writer, sequence: 0, hash }
    }

    /// After one more row, of which the content is given.
    pub(super) fn after(&self, content: Digest) -> Self {
        let sequence = self.sequence.saturating_add(1);
        let hash = link(&self.writer, sequence, self.hash, content);
        Self { writer: self.writer.clone(), sequence, hash }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.writer, self.sequence, self.hash)
    }
}

impl FromStr for Head {
    type Err = InvalidHead;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = || {
            let (writer, rest) = text.split_once(':')?;
            let (sequence, hash) = rest.split_once(':')?;
            let plain = !writer.is_empty()
                && writer.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
            let digits = sequence.bytes().all(|byte| byte.is_ascii_digit());
            (plain && digits).then_some(())?;
            let (sequence, hash) = (sequence.parse().ok()?, hash.parse().ok()?);
            Some(Self { writer: writer.to_owned(), sequence, hash })
        };
        parts().ok_or_else(|| InvalidHead(text.chars().take(200).collect()))
    }
}

/// What the first row of a writer follows.
pub(super) fn genesis(writer: &str) -> Digest {
    Encoder::new(WRITER).field(writer.as_bytes()).finish()
}

/// The hash of a row.
pub(super) fn link(writer: &str, sequence: u64, previous: Digest, content: Digest) -> Digest {
    Encoder::new(ENTRY)
        .field(writer.as_bytes())
        .field(&sequence.to_be_bytes())
        .field(previous.as_bytes())
        .field(content.as_bytes())
        .finish()
}

/// The hash of every column but the link.
pub(super) fn content(row: &Row) -> Digest {
    // No `..`: a new column does not compile until it is hashed.
    let Row {
        id,
        recorded_at,
        origin,
        asked_by,
        verdict,
        registry,
        model,
        version,
        target,
        requested_by,
        snapshot,
        document,
    } = row;
    Encoder::new(CONTENT)
        .field(id.as_bytes())
        .field(&recorded_at.to_be_bytes())
        .field(origin.as_bytes())
        .optional(asked_by.as_deref().map(str::as_bytes))
        .field(verdict.as_bytes())
        .field(registry.as_bytes())
        .field(model.as_bytes())
        .field(version.as_bytes())
        .field(target.as_bytes())
        .optional(requested_by.as_deref().map(str::as_bytes))
        .optional(snapshot.as_ref().map(|digest| digest.as_bytes().as_slice()))
        .field(document.as_bytes())
        .finish()
}

/// What is left of rows that were removed when their time was up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub(super) writer: String,
    /// Counts the checkpoints of the writer from 1.
    pub(super) number: u64,
    /// The last row that was removed, and so how many were, all in all.
    pub(super) sequence: u64,
    /// Hash of that row: the next one follows it.
    pub(super) hash: Digest,
    /// When it was done, milliseconds since the Unix epoch.
    pub(super) pruned_at: u64,
    /// Seal of the checkpoint before this one; of the first, what the first row follows.
    pub(super) previous: Digest,
}

impl Checkpoint {
    /// The hash of all of it.
    pub(super) fn seal(&self) -> Digest {
        let Self { writer, number, sequence, hash, pruned_at, previous } = self;
        Encoder::new(CHECKPOINT)
            .field(writer.as_bytes())
            .field(&number.to_be_bytes())
            .field(&sequence.to_be_bytes())
            .field(hash.as_bytes())
            .field(&pruned_at.to_be_bytes())
            .field(previous.as_bytes())
            .finish()
    }
}

/// Fields into a hash, each with its length before it.
struct Encoder(Sha256);

impl Encoder {
    fn new(domain: &[u8]) -> Self {
        Self(Sha256::new_with_prefix(domain))
    }

    fn field(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    fn optional(mut self, bytes: Option<&[u8]>) -> Self {
        match bytes {
            None => {
                self.0.update([0]);
                self
            }
            Some(bytes) => {
                self.0.update([1]);
                self.field(bytes)
            }
        }
    }

    fn finish(self) -> Digest {
        Digest::from_bytes(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_reads_what_it_writes() {
        let head = Head::of_new("0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d".to_owned());
        let head = head.after(Digest::of(b"content"));
        assert_eq!(head.to_string().parse(), Ok(head));
    }

    #[test]
    fn rejects_what_is_no_head() {
        let hash = Digest::of(b"");
        for text in ["", "a:1", "a:1:sha256:00", &format!(":1:{hash}"), &format!("a:+1:{hash}")] {
            assert!(text.parse::<Head>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_boundary_between_two_fields_counts() {
        let one = Encoder::new(ENTRY).field(b"ab").field(b"c").finish();
        let other = Encoder::new(ENTRY).field(b"a").field(b"bc").finish();
        assert_ne!(one, other);
        let absent = Encoder::new(ENTRY).optional(None).field(b"").finish();
        let empty = Encoder::new(ENTRY).optional(Some(b"")).finish();
        assert_ne!(absent, empty);
    }

    /// Whoever wants to verify a record without lockgate relies on these.
    #[test]
    fn hashes_stay_what_they_are() {
        let writer = "0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d";
        let row = Row {
            id: "0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d".to_owned(),
            recorded_at: 1_795_435_200_000,
            origin: "api".to_owned(),
            asked_by: Some("ada".to_owned()),
            verdict: "deny".to_owned(),
            registry: "mlflow".to_owned(),
            model: "fraud".to_owned(),
            version: "7".to_owned(),
            target: "stage:Production".to_owned(),
            requested_by: None,
            snapshot: Some(Digest::of(b"snapshot")),
            document: "{}".to_owned(),
        };
        let head = Head::of_new(writer.to_owned()).after(content(&row));
        assert_eq!(
            head.to_string(),
            "0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d:1:sha256:fd029e3ee0ea3ec313a14ffcbcf70b8c6ddd700b12755dc69aa490c31a21ca50"
        );
    }
}
