use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What one decision on record is called: a UUID of version 7, in lower case with hyphens.
///
/// Its first 48 bits are the time at which it was made, in milliseconds, so that ids sort by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct DecisionId(Uuid);

/// Text that is not the id of a decision.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is not the id of a decision; write it as `0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d`, in lower case"
)]
pub struct InvalidDecisionId(pub String);

impl DecisionId {
    /// A new id. Ids made in one process, one after the other, are in ascending order.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "two of them differ, so none is the default")]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// An id from its 16 bytes; none when they are not those of a UUID of version 7.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        Self::checked(Uuid::from_bytes(bytes))
    }

    /// Its 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// When it was made, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn milliseconds(self) -> u64 {
        let [a, b, c, d, e, f, ..] = *self.0.as_bytes();
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }

    fn checked(uuid: Uuid) -> Option<Self> {
        let ours = uuid.get_version_num() == 7 && uuid.get_variant() == uuid::Variant::RFC4122;
        ours.then_some(Self(uuid))
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<DecisionId> for String {
    fn from(id: DecisionId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for DecisionId {
    type Error = InvalidDecisionId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for DecisionId {
    type Err = InvalidDecisionId;

    /// Reads the one spelling that is written, so that an id can be compared as text.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text)
            .ok()
            .and_then(Self::checked)
            .filter(|id| id.to_string() == text)
            .ok_or_else(|| InvalidDecisionId(text.chars().take(100).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_what_it_writes() {
        let id = DecisionId::new();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(DecisionId::from_bytes(*id.as_bytes()), Some(id));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<DecisionId>(&json).unwrap(), id);
    }

    #[test]
    fn ids_ascend_and_tell_when_they_were_made() {
        let ids: Vec<_> = (0..1000).map(|_| DecisionId::new()).collect();
        assert!(ids.is_sorted_by(|one, next| one < next));
        let id: DecisionId = "0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d".parse().unwrap();
        assert_eq!(id.milliseconds(), 0x0198_c6a5_6f2e);
    }

    #[test]
    fn rejects_other_versions_and_spellings() {
        for text in [
            "",
            "0198c6a56f2e7b1a9c3d2f4e5a6b7c8d",
            "0198C6A5-6F2E-7B1A-9C3D-2F4E5A6B7C8D",
            "{0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d}",
            "0198c6a5-6f2e-4b1a-9c3d-2f4e5a6b7c8d",
            "0198c6a5-6f2e-7b1a-1c3d-2f4e5a6b7c8d",
        ] {
            assert!(text.parse::<DecisionId>().is_err(), "{text}");
        }
    }
}
