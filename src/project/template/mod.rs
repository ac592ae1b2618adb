//! A new project, complete: it builds and passes at once.

mod js;
mod python;
mod rust;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::Language;
use super::sdk;
use crate::policy::answer::is_code;

/// Where a project keeps the SDK of its language.
const SDK_FOLDER: &str = "vendor/lockgate-sdk";

/// Why there is no new project.
#[derive(Debug, thiserror::Error)]
pub enum NewProjectError {
    /// A name that no policy may have.
    #[error(
        "`{0}` is not kebab-case; write lower-case words and digits with single hyphens between: `region-floor`"
    )]
    NotKebab(String),
    /// A name that the language's tools would take for something else.
    #[error("`{name}` means something else in {language}; take another name, such as `my-{name}`", language = .language.as_str())]
    Reserved {
        /// The name.
        name: String,
        /// The language.
        language: Language,
    },
    /// There is something already.
    #[error("`{}` is there already and is not empty; name another folder with --dir, or remove it first", .0.display())]
    Exists(PathBuf),
    /// A file or folder could not be written.
    #[error("cannot write `{}`: {source}", path.display())]
    NotWritten {
        /// What was being written.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What to do next with a new project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// A command, to be run in the project.
    pub command: &'static str,
    /// What comes of it.
    pub gives: &'static str,
}

/// Writes a new project into `folder`, which must not be there, or be empty. Says what to do next.
///
/// # Errors
/// A name that cannot be used, a folder that holds something, or what could not be written.
/// Nothing is left of a project that could not be written as a whole.
pub fn create(name: &str, language: Language, folder: &Path) -> Result<Vec<Step>, NewProjectError> {
    check_name(name, language)?;
    let not_written =
        |path: &Path, source| NewProjectError::NotWritten { path: path.to_owned(), source };
    if is_in_use(folder) {
        return Err(NewProjectError::Exists(folder.to_owned()));
    }
    let is_there = folder.is_dir();
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    let beside = if is_there { folder } else { parent.unwrap_or(Path::new(".")) };
    fs::create_dir_all(beside).map_err(|source| not_written(beside, source))?;
    let staged = tempfile::Builder::new()
        .prefix(".lockgate-new-")
        .permissions(fs::Permissions::from_mode(0o777))
        .tempdir_in(beside)
        .map_err(|source| not_written(beside, source))?;
    for (path, bytes) in files(name, language) {
        let path = staged.path().join(path);
        let written = match path.parent() {
            Some(folder) => fs::create_dir_all(folder).and_then(|()| fs::write(&path, bytes)),
            None => Ok(()),
        };
        written.map_err(|source| not_written(&path, source))?;
    }
    if is_there {
        // Somebody may be in it, so that it stays the folder that it is.
        fill(folder, staged.path()).map_err(|source| not_written(folder, source))?;
    } else {
        // Takes the place of an empty folder and of nothing else.
        match fs::rename(staged.path(), folder) {
            Ok(()) => {
                let _ = staged.keep();
            }
            Err(_) if is_in_use(folder) => {
                return Err(NewProjectError::Exists(folder.to_owned()));
            }
            Err(source) => return Err(not_written(folder, source)),
        }
    }
    let own = match language {
        Language::Rust => rust::STEPS,
        Language::Js => js::STEPS,
        Language::Python => python::STEPS,
    };
    Ok(own.iter().copied().chain(STEPS).collect())
}

/// What to do in every language, after the language's own steps.
const STEPS: [Step; 2] = [
    Step { command: "lockgate policy build", gives: "the component" },
    Step { command: "lockgate policy test", gives: "its answers to the cases" },
];

fn check_name(name: &str, language: Language) -> Result<(), NewProjectError> {
    if !is_code(name) {
        return Err(NewProjectError::NotKebab(name.to_owned()));
    }
    let reserved = match language {
        Language::Rust => rust::RESERVED,
        Language::Js => js::RESERVED,
        Language::Python => python::RESERVED,
    };
    if reserved.contains(&name) {
        return Err(NewProjectError::Reserved { name: name.to_owned(), language });
    }
    Ok(())
}

/// Whether something is there that a new project must not take the place of.
fn is_in_use(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Moves what is in `staged` into `folder`.
fn fill(folder: &Path, staged: &Path) -> io::Result<()> {
    for entry in fs::read_dir(staged)? {
        let entry = entry?;
        let target = folder.join(entry.file_name());
        if target.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        fs::rename(entry.path(), target)?;
    }
    Ok(())
}

/// Every file of a new project, by its path in it.
fn files(name: &str, language: Language) -> BTreeMap<PathBuf, Vec<u8>> {
    let filled_in = |file: &sdk::File| match std::str::from_utf8(file.bytes) {
        Ok(text) => {
            text.replace("{{name}}", name).replace("{{language}}", language.as_str()).into_bytes()
        }
        Err(_) => file.bytes.to_owned(),
    };
    let mut files: BTreeMap<PathBuf, Vec<u8>> =
        sdk::template(language).map(|file| (PathBuf::from(file.path), filled_in(file))).collect();
    for file in sdk::of(language) {
        files.insert(Path::new(SDK_FOLDER).join(file.path), file.bytes.to_owned());
    }
    if language == Language::Rust {
        rust::lock_in_order(&mut files);
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::MANIFEST;

    #[test]
    fn names_that_no_policy_can_have_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", "Region", "a_b", "a--b", "-a", "1a", "../a", "a/b", &"x".repeat(65)] {
            let refused = create(name, Language::Rust, &folder.path().join("new"));
            assert!(matches!(refused, Err(NewProjectError::NotKebab(_))), "{name}: {refused:?}");
        }
        for name in ["match", "core"] {
            let refused = create(name, Language::Rust, &folder.path().join("new"));
            assert!(matches!(refused, Err(NewProjectError::Reserved { .. })), "{name}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_there_already_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        fs::write(taken.join("note"), "mine").unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "mine").unwrap();
        for path in [&taken, &file] {
            let refused = create("a-policy", Language::Rust, path);
            assert!(matches!(refused, Err(NewProjectError::Exists(_))), "{refused:?}");
        }
        assert_eq!(fs::read_dir(&taken).unwrap().count(), 1);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn an_empty_folder_becomes_the_project() {
        let folder = tempfile::tempdir().unwrap();
        let steps = create("a-policy", Language::Rust, folder.path()).unwrap();
        assert!(folder.path().join(MANIFEST).is_file());
        assert!(steps.iter().any(|step| step.command == "lockgate policy build"));
        assert!(!fs::read_dir(folder.path()).unwrap().any(|entry| {
            entry.unwrap().file_name().to_string_lossy().starts_with(".lockgate-new-")
        }));
    }

    #[test]
    fn nothing_of_the_template_is_left_to_fill_in() {
        for language in Language::ALL {
            for (path, bytes) in files("a-policy", language) {
                let vendored = path.starts_with(SDK_FOLDER);
                let text = String::from_utf8_lossy(&bytes);
                assert!(vendored || !text.contains("{{"), "{}", path.display());
            }
        }
    }

    #[test]
    fn the_manifest_of_a_new_project_is_sound() {
        for language in Language::ALL {
            let files = files("a-policy", language);
            let text = files.get(Path::new(MANIFEST)).unwrap();
            let text = String::from_utf8(text.clone()).unwrap();
            let manifest = crate::project::Manifest::parse(&text, MANIFEST).unwrap();
            assert_eq!((manifest.name.as_str(), manifest.language), ("a-policy", language));
        }
    }
}
