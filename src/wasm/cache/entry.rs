//! The form of the cache's small files: a hash over the rest, and the rest as JSON.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::stamp::Stamp;
use crate::model::{Description, Digest};

/// Most of it is what a policy says of itself, with its params schema.
pub(super) const MOST_BYTES: u64 = 4 << 20;

/// What is kept of a compiled component besides its code.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    /// BLAKE3 hash of the code, 64 hex digits; also names the file with the code.
    pub(super) code: String,
    /// The code file's, when it was last read whole and had that hash.
    pub(super) stamp: Option<Stamp>,
    /// What the policy says of itself, which is the same each time it is asked; none while it has
    /// not answered as the contract wants it.
    pub(super) description: Option<Description>,
}

/// What is kept of a component file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Seen {
    /// The file's, before it was read.
    pub(super) stamp: Stamp,
    /// What was read.
    pub(super) digest: Digest,
}

/// The text of a file. `name` is part of what is hashed, so that no file passes for another.
pub(super) fn write(name: &str, content: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let json = serde_json::to_vec(content)?;
    let mut text = hash(name, &json).to_hex().as_bytes().to_vec();
    text.push(b'\n');
    text.extend(json);
    Ok(text)
}

/// Reads what [`write`] wrote; none for anything else.
pub(super) fn read<T: DeserializeOwned>(name: &str, text: &[u8]) -> Option<T> {
    let (told, rest) = text.split_at_checked(blake3::OUT_LEN * 2)?;
    let json = rest.strip_prefix(b"\n")?;
    (hash(name, json).to_hex().as_bytes() == told).then(|| serde_json::from_slice(json).ok())?
}

fn hash(name: &str, json: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(name.as_bytes()).update(b"\n").update(json);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_was_written_and_nothing_else() {
        let entry = Entry { code: "ab".repeat(32), stamp: None, description: None };
        let text = write("one.entry", &entry).unwrap();
        assert_eq!(read::<Entry>("one.entry", &text).unwrap().code, entry.code);
        assert!(read::<Entry>("other.entry", &text).is_none(), "another file's");
        for position in 0..text.len() {
            let mut damaged = text.clone();
            damaged[position] ^= 1;
            assert!(read::<Entry>("one.entry", &damaged).is_none(), "a flipped bit at {position}");
            assert!(read::<Entry>("one.entry", &text[..position]).is_none(), "cut at {position}");
        }
    }
}
