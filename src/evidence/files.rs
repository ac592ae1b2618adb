//! Evidence files and directories, through capabilities: below the directory that was named no
//! path and no symbolic link leads out of it.

use std::io::{self, Read};
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use rustix::fs::OFlags;

use super::error::{Problem, quoted};
use super::limits::{MAX_DIRECTORY_DEPTH, MAX_ENTRIES, MAX_FILE_BYTES};

/// Told of everything that is met, in the order of the names.
pub(super) trait Visitor {
    /// Whether the entry of this name is not to be touched.
    fn ignores(&self, name: &str) -> bool;
    /// A file and its bytes.
    fn file(&mut self, name: &str, bytes: &[u8]);
    /// Something that could not be read.
    fn problem(&mut self, name: &str, problem: Problem);
    /// Counts one more entry; false when there have been too many.
    fn count(&mut self) -> bool;
}

/// Reads the file at `path`, or every file below the directory at `path`.
pub(super) fn visit(path: &Path, visitor: &mut impl Visitor) {
    let shown = path.display().to_string();
    match Dir::open_ambient_dir(path, ambient_authority()) {
        Ok(dir) => {
            if !visit_dir(&dir, "", 0, visitor) {
                visitor.problem(
                    &quoted(&shown),
                    Problem::whole("is a directory without evidence; give the one that holds it"),
                );
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => visit_file(path, visitor),
        Err(error) => visitor.problem(&quoted(&shown), cannot_open(&error)),
    }
}

/// The same below a directory that is open, for a path that may not lead out of it.
pub(super) fn visit_within(base: &Dir, path: &str, visitor: &mut impl Visitor) {
    match base.open_dir(path) {
        Ok(dir) => {
            if !visit_dir(&dir, "", 0, visitor) {
                visitor.problem(
                    &quoted(path),
                    Problem::whole("is a directory without evidence; give the one that holds it"),
                );
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            let name = Path::new(path).file_name().and_then(|name| name.to_str());
            match name.filter(|name| !name.chars().any(char::is_control)) {
                Some(_) if !visitor.count() => visitor.problem(&quoted(path), too_many()),
                Some(name) => visit_entry(base, path, name, 0, visitor),
                None => visitor.problem(&quoted(path), unnameable()),
            }
        }
        Err(error) => visitor.problem(&quoted(path), cannot_open(&error)),
    }
}

/// One file below a directory that is open.
pub(super) fn read_within(base: &Dir, path: &str) -> Result<Vec<u8>, Problem> {
    read(base, path)
}

/// A single file is opened through its directory, so that a link out of it is refused as well.
fn visit_file(path: &Path, visitor: &mut impl Visitor) {
    let shown = path.display().to_string();
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        visitor.problem(&quoted(&shown), unnameable());
        return;
    };
    if !visitor.count() {
        visitor.problem(name, too_many());
        return;
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    match Dir::open_ambient_dir(parent.unwrap_or(Path::new(".")), ambient_authority()) {
        Ok(dir) => visit_entry(&dir, name, name, 0, visitor),
        Err(error) => visitor.problem(&quoted(&shown), cannot_open(&error)),
    }
}

/// Whether the directory held anything that was not ignored.
fn visit_dir(dir: &Dir, prefix: &str, depth: usize, visitor: &mut impl Visitor) -> bool {
    let shown = prefix.trim_end_matches('/');
    let mut names = Vec::new();
    let entries = match dir.entries() {
        Ok(entries) => entries,
        Err(error) => {
            visitor.problem(shown, cannot_open(&error));
            return true;
        }
    };
    for entry in entries {
        if !visitor.count() {
            visitor.problem(shown, too_many());
            return true;
        }
        match entry {
            Ok(entry) => names.push(entry.file_name()),
            Err(error) => visitor.problem(shown, cannot_open(&error)),
        }
    }
    names.sort();
    let mut held = false;
    for name in names {
        let Some(leaf) = name.to_str().filter(|leaf| !leaf.chars().any(char::is_control)) else {
            visitor.problem(&format!("{prefix}{}", quoted(&name.to_string_lossy())), unnameable());
            held = true;
            continue;
        };
        let full = format!("{prefix}{leaf}");
        if !visitor.ignores(&full) {
            visit_entry(dir, leaf, &full, depth, visitor);
            held = true;
        }
    }
    held
}

fn visit_entry(dir: &Dir, leaf: &str, full: &str, depth: usize, visitor: &mut impl Visitor) {
    // Links to files are followed within the directory. Links to directories are not: they can
    // form circles, and would have files read twice.
    let metadata = match dir.symlink_metadata(leaf) {
        Ok(own) if own.is_symlink() => dir.metadata(leaf).map(|target| (target, true)),
        own => own.map(|own| (own, false)),
    };
    match metadata {
        Ok((metadata, _)) if metadata.is_file() => match read(dir, leaf) {
            Ok(bytes) => visitor.file(full, &bytes),
            Err(problem) => visitor.problem(full, problem),
        },
        Ok((metadata, false)) if metadata.is_dir() => {
            if depth >= MAX_DIRECTORY_DEPTH {
                let text = format!("lies deeper than {MAX_DIRECTORY_DEPTH} directories");
                visitor.problem(full, Problem::whole(text));
                return;
            }
            match dir.open_dir(leaf) {
                Ok(inner) => {
                    visit_dir(&inner, &format!("{full}/"), depth + 1, visitor);
                }
                Err(error) => visitor.problem(full, cannot_open(&error)),
            }
        }
        Ok((metadata, true)) if metadata.is_dir() => visitor.problem(
            full,
            Problem::whole("is a link to a directory; put the files themselves there"),
        ),
        Ok(_) => visitor.problem(full, irregular()),
        Err(error) => visitor.problem(full, cannot_open(&error)),
    }
}

fn read(dir: &Dir, leaf: &str) -> Result<Vec<u8>, Problem> {
    // Were the file swapped for a pipe since it was looked at, opening that would wait for ever.
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let file = dir.open_with(leaf, &options).map_err(|error| cannot_open(&error))?;
    let metadata = file.metadata().map_err(|error| cannot_open(&error))?;
    if !metadata.is_file() {
        return Err(irregular());
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(too_large());
    }
    // One more, so that the end is met without making room for what does not come.
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len() + 1).unwrap_or_default());
    // The file may grow while it is read.
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| cannot_open(&error))?;
    if u64::try_from(bytes.len()).map_or(true, |length| length > MAX_FILE_BYTES) {
        return Err(too_large());
    }
    Ok(bytes)
}

pub(super) fn too_large() -> Problem {
    Problem::whole(format!(
        "is larger than {MAX_FILE_BYTES} bytes; have its tool report less, or split it"
    ))
}

pub(super) fn too_many() -> Problem {
    Problem::whole(format!(
        "brings the evidence to more than {MAX_ENTRIES} files and directories; give fewer"
    ))
}

fn irregular() -> Problem {
    Problem::whole("is no regular file; evidence is read from regular files only")
}

fn unnameable() -> Problem {
    Problem::whole("has a name that is not plain UTF-8 text; rename it")
}

fn cannot_open(error: &io::Error) -> Problem {
    Problem::whole(format!("cannot be opened: {}", quoted(&error.to_string())))
}
