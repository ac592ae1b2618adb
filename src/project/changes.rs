//! Whether a component is older than what it is made from.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Project;

/// Folders that hold what was made and not what it is made from.
const MADE: [&str; 4] = ["__pycache__", "dist", "node_modules", "target"];
/// Files and folders that are looked at; a project of more is not looked through for a remark.
const MOST_ENTRIES: usize = 10_000;
/// Says what gates use; those of languages say what policies are made from.
const LOCK_FILE: &str = "lockgate.lock";
/// Folders within each other.
const MOST_DEPTH: usize = 16;

/// How a component stands to what it is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Nothing was changed since.
    Fresh,
    /// A file was.
    Older(PathBuf),
    /// The project could not be looked through.
    Unknown,
}

impl Project {
    /// How a component that was built at a time stands to the files of the project that it is made
    /// from.
    #[must_use]
    pub fn freshness(&self, built: SystemTime) -> Freshness {
        let mut looked = Look { cases: self.cases(), built, left: MOST_ENTRIES };
        looked.through(&self.root, MOST_DEPTH).err().unwrap_or(Freshness::Fresh)
    }
}

struct Look {
    cases: PathBuf,
    built: SystemTime,
    left: usize,
}

impl Look {
    /// Comes to an early end as soon as it is not known to be fresh.
    fn through(&mut self, folder: &Path, depth: usize) -> Result<(), Freshness> {
        let entries = std::fs::read_dir(folder).map_err(|_| Freshness::Unknown)?;
        let mut entries: Vec<_> =
            entries.collect::<Result<_, _>>().map_err(|_| Freshness::Unknown)?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            self.left = self.left.checked_sub(1).ok_or(Freshness::Unknown)?;
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if name.starts_with('.') || MADE.contains(&&*name) || path == self.cases {
                continue;
            }
            // It may have gone since.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                let depth = depth.checked_sub(1).ok_or(Freshness::Unknown)?;
                self.through(&path, depth)?;
                continue;
            }
            let told = [".md", ".wasm"].iter().any(|end| name.ends_with(end)) || name == LOCK_FILE;
            if !told && metadata.modified().is_ok_and(|modified| modified > self.built) {
                return Err(Freshness::Older(path));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_component_is_held_against_what_it_is_made_from() {
        let folder = tempfile::tempdir().unwrap();
        let built = SystemTime::now();
        let write = |name: &str, modified: SystemTime| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "version: 1\nname: a\nlanguage: rust\nreads: []\n").unwrap();
            File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
            path
        };
        let (before, after) = (built - Duration::from_secs(9), built + Duration::from_secs(9));
        write("policy.yaml", before);
        let project = Project::open(folder.path()).unwrap();
        for told in ["README.md", "a.wasm", "lockgate.lock", "cases/a.yaml", "target/a.rs"] {
            write(told, after);
        }
        assert_eq!(project.freshness(built), Freshness::Fresh);
        for source in ["Cargo.lock", "uv.lock", "package-lock.json", "src/lib.rs"] {
            let path = write(source, after);
            assert_eq!(project.freshness(built), Freshness::Older(path), "{source}");
            write(source, before);
        }
        // What cannot be looked through to its end is not said to be fresh.
        let deep = format!("{}a.rs", "deep/".repeat(MOST_DEPTH + 1));
        write(&deep, before);
        assert_eq!(project.freshness(built), Freshness::Unknown);
        fs::remove_dir_all(folder.path().join("deep")).unwrap();
        let mut looked = Look { cases: project.cases(), built, left: 3 };
        assert_eq!(looked.through(folder.path(), MOST_DEPTH), Err(Freshness::Unknown));
    }
}
