//! How much evidence one decision takes. Each bound keeps a hostile or broken file from costing
//! memory or time without end; none can be lifted by configuration.

/// Bytes of one file: 64 MiB, ten times the largest scanner report met in practice.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of all files together: 256 MiB.
pub const MAX_TOTAL_BYTES: u64 = 256 * 1024 * 1024;
/// Files and directories met while evidence directories are walked, ignored ones included.
pub const MAX_ENTRIES: usize = 1_000;
/// Directories below the one that was named.
pub const MAX_DIRECTORY_DEPTH: usize = 16;
/// Arrays and objects within each other; below the 128 at which the JSON parser itself stops.
pub const MAX_JSON_DEPTH: usize = 64;
/// Values in one JSON document. An object with a single member takes some 650 bytes once parsed,
/// so this keeps the worst file below 400 MiB of memory; real ones take a twentieth of that.
pub const MAX_JSON_VALUES: usize = 1_000_000;
/// Metrics, findings, tags and so on of one snapshot, all kinds together.
pub const MAX_ITEMS: usize = 100_000;
/// Bytes of one text that is kept: a description, a section of the model card, a message.
pub const MAX_TEXT_BYTES: usize = 256 * 1024;
/// Bytes of one name or identifier that is kept.
pub const MAX_NAME_BYTES: usize = 4 * 1024;
/// Characters of the title of a finding; the rest of its first line is cut off.
pub const MAX_TITLE_CHARS: usize = 300;
/// The largest whole number that every JSON parser reads exactly, 2^53 (RFC 8259, section 6).
pub const MAX_WHOLE_NUMBER: u64 = 1 << 53;
