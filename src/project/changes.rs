//! Whether a component is older than what it is made from.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Project;

/// Folders that hold what was made and not what it is made from.
const MADE: [&str; 4] = ["__pycache__", "dist", "node_modules", "target"];
/// Files and folders that are looked at; a project of more is not looked through for a remark.
const MOST_ENTRIES: usize = 10_000;
/// Folders within each other.
const MOST_DEPTH: usize = 16;

impl Project {
    /// A file of the project that was changed after a time, of those that its component is made
    /// from. What cannot be looked at is passed over.
    #[must_use]
    pub fn changed_since(&self, time: SystemTime) -> Option<PathBuf> {
        let cases = self.cases();
        let mut left = MOST_ENTRIES;
        newer(&self.root, &cases, time, &mut left, 0)
    }
}

fn newer(
    folder: &Path,
    cases: &Path,
    time: SystemTime,
    left: &mut usize,
    depth: usize,
) -> Option<PathBuf> {
    let mut entries: Vec<_> = std::fs::read_dir(folder).ok()?.flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        *left = left.checked_sub(1)?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if name.starts_with('.') || MADE.contains(&&*name) || path == cases {
            continue;
        }
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_dir() {
            if depth < MOST_DEPTH
                && let Some(found) = newer(&path, cases, time, left, depth + 1)
            {
                return Some(found);
            }
            continue;
        }
        let told = [".md", ".wasm", ".lock"].iter().any(|end| name.ends_with(end));
        if !told && metadata.modified().is_ok_and(|modified| modified > time) {
            return Some(path);
        }
    }
    None
}
