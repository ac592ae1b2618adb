//! The files of cases, through capabilities: nothing outside the folder that was named is read.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt as _};
use rustix::fs::OFlags;

use super::Case;
use crate::config::Diagnostics;

/// More than a policy with a case for each of its users would have.
const MOST_CASES: usize = 20_000;
/// Folders within each other.
const MOST_DEPTH: usize = 16;
const MOST_BYTES: u64 = super::case::MOST_BYTES as u64;

/// A folder of cases, open, and the cases in it.
pub struct Folder {
    dir: Dir,
    /// How it was named, to name its files in messages.
    shown: PathBuf,
    files: Vec<CaseFile>,
}

/// The file of a case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CaseFile {
    /// Name of the case: its path below the folder without the extension, `/` as separator.
    pub name: String,
    /// Its path below the folder.
    path: String,
}

/// Cases that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be opened or listed.
    #[error("cannot read the cases in `{folder}`: {error}")]
    Unreadable {
        /// The folder.
        folder: String,
        /// Why.
        error: io::Error,
    },
    /// It holds no case.
    #[error(
        "there is no case in `{0}`; write one, `NAME.yaml`, or name another folder with --cases"
    )]
    Empty(String),
    /// It holds too many.
    #[error("`{0}` holds more than {MOST_CASES} cases; give a folder with fewer")]
    TooMany(String),
    /// Two files are of one name.
    #[error("`{0}` is the name of two cases; rename one")]
    Twice(String),
}

impl Folder {
    /// Opens a folder of cases, or that of a single one.
    ///
    /// # Errors
    /// When there is no case that could be read.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let shown = path.display().to_string();
        let unreadable =
            |error: io::Error| FolderError::Unreadable { folder: shown.clone(), error };
        let (dir, files, shown_path) = match Dir::open_ambient_dir(path, ambient_authority()) {
            Ok(dir) => {
                let mut files = Vec::new();
                list(&dir, "", 0, &mut files).map_err(unreadable)?;
                (dir, files, path.to_owned())
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                let parent = parent.unwrap_or(Path::new("."));
                let dir = Dir::open_ambient_dir(parent, ambient_authority()).map_err(unreadable)?;
                let file = path.file_name().and_then(|name| name.to_str()).and_then(CaseFile::of);
                let parent = path.parent().map(Path::to_owned).unwrap_or_default();
                (dir, file.into_iter().collect(), parent)
            }
            Err(error) => return Err(unreadable(error)),
        };
        let mut files: Vec<CaseFile> = files;
        files.sort();
        if files.is_empty() {
            return Err(FolderError::Empty(shown));
        }
        if files.len() > MOST_CASES {
            return Err(FolderError::TooMany(shown));
        }
        let twins = files.windows(2).find_map(|pair| match pair {
            [one, other] if one.name == other.name => Some(one.name.clone()),
            _ => None,
        });
        match twins {
            Some(name) => Err(FolderError::Twice(name)),
            None => Ok(Self { dir, shown: shown_path, files }),
        }
    }

    /// The cases, ordered by name.
    #[must_use]
    pub fn files(&self) -> &[CaseFile] {
        &self.files
    }

    /// Keeps only some of the cases.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.files.retain(|file| keep(&file.name));
    }

    /// What the file of a case is called in messages.
    #[must_use]
    pub fn shown(&self, file: &CaseFile) -> String {
        self.shown.join(&file.path).display().to_string()
    }

    /// Reads a case.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(&self, file: &CaseFile) -> Result<Case, Diagnostics> {
        let shown = self.shown(file);
        let text = self.text(&file.path).map_err(|why| Diagnostics::of_file(&shown, why))?;
        Case::parse(&text, &file.name, &shown, (&self.dir, &file.path))
    }

    /// Reads a case from a text that is not in its file yet.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read_as(&self, file: &CaseFile, text: &str) -> Result<Case, Diagnostics> {
        Case::parse(text, &file.name, &self.shown(file), (&self.dir, &file.path))
    }

    /// Puts a text in the place of a case's file: all of it, or none.
    ///
    /// # Errors
    /// When it cannot be written; the file is as it was then.
    pub fn replace(&self, file: &CaseFile, text: &str) -> io::Result<()> {
        let beside = format!("{}.{}.new", file.path, std::process::id());
        let permissions = self.dir.metadata(&file.path)?.permissions();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let mut new = self.dir.open_with(&beside, &options)?;
        let written = new
            .write_all(text.as_bytes())
            .and_then(|()| new.set_permissions(permissions))
            .and_then(|()| new.sync_all())
            .and_then(|()| self.dir.rename(&beside, &self.dir, &file.path));
        if written.is_err() {
            // What is left over is in nobody's way but the next update's.
            let _ = self.dir.remove_file(&beside);
        }
        written
    }

    fn text(&self, path: &str) -> Result<String, String> {
        let unreadable = |error: io::Error| format!("cannot be read: {error}");
        let mut options = OpenOptions::new();
        // Opening a pipe would wait for ever.
        options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
        let file = self.dir.open_with(path, &options).map_err(unreadable)?;
        if !file.metadata().map_err(unreadable)?.is_file() {
            return Err("is no regular file; a case is read from one".to_owned());
        }
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if u64::try_from(bytes.len()).map_or(true, |length| length > MOST_BYTES) {
            return Err(format!(
                "is larger than {MOST_BYTES} bytes; put large evidence in files of its own"
            ));
        }
        String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())
    }
}

impl CaseFile {
    /// The case in the file at a path; none when no case has such a name.
    fn of(path: &str) -> Option<Self> {
        let name = path.strip_suffix(".yaml").or_else(|| path.strip_suffix(".yml"))?;
        let plain = !name.is_empty() && !path.chars().any(char::is_control);
        plain.then(|| Self { name: name.to_owned(), path: path.to_owned() })
    }
}

/// Lists the cases of a folder and of those in it. Hidden ones and links to folders are passed
/// over.
fn list(dir: &Dir, prefix: &str, depth: usize, files: &mut Vec<CaseFile>) -> io::Result<()> {
    for entry in dir.entries()? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            if depth < MOST_DEPTH {
                list(&entry.open_dir()?, &format!("{path}/"), depth + 1, files)?;
            }
        } else if files.len() <= MOST_CASES {
            files.extend(CaseFile::of(&path));
        }
    }
    Ok(())
}
