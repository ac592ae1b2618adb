//! `lockgate policy new` and `lockgate policy build` as an author meets them, with the real tools
//! of each language.
#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail as tests do")]

mod js;
mod manifest;
mod project;
mod python;
mod rust;
mod sdk;
mod tools;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder that is in no workspace, and lockgate run in it.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With a new project of that name.
    pub(crate) fn with_project(name: &str, language: &str) -> Self {
        let folder = Self::empty();
        folder.run(&format!("policy new {name} --lang {language}")).exits(0);
        folder
    }

    /// Lets cargo keep the crates of a project between tests, as compiling them takes a minute.
    pub(crate) fn with_crates_of_earlier_tests(self, project: &str) -> Self {
        std::fs::create_dir_all(built_crates()).unwrap();
        std::os::unix::fs::symlink(built_crates(), self.path(project).join("target")).unwrap();
        self
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Replaces a part of a file, which must be there.
    #[track_caller]
    pub(crate) fn change(&self, name: &str, from: &str, to: &str) {
        let text = self.text(name);
        assert!(text.contains(from), "no `{from}` in {text}");
        self.write(name, text.replace(from, to));
    }

    /// Names of what is in the folder.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// A program, to be run in the folder with the tools of this machine. What a test's own cargo
    /// has set does not reach it.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("CARGO") && name != "CARGO_HOME" || name.starts_with("NEXTEST") {
                command.env_remove(name);
            }
        }
        command
            .current_dir(self.0.path())
            .env("LOCKGATE_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"))
            // What is not on the machine yet was fetched with lockgate's own dependencies.
            .env("CARGO_NET_OFFLINE", "true")
            .stdin(Stdio::null());
        command
    }

    /// Runs lockgate with these arguments, separated by blanks.
    pub(crate) fn run(&self, arguments: &str) -> Ran {
        let mut command = self.command(env!("CARGO_BIN_EXE_lockgate"));
        ran(command.args(arguments.split_whitespace()))
    }
}

/// Where the crates that projects depend on are kept.
pub(crate) fn built_crates() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("authoring")
}

/// How a run ended and what it said.
pub(crate) struct Ran {
    code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Ran {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        let Self { stdout, stderr, .. } = &self;
        assert_eq!(self.code, Some(code), "\nstdout:\n{stdout}\nstderr:\n{stderr}");
        self
    }

    #[track_caller]
    pub(crate) fn says(self, part: &str) -> Self {
        let Self { stdout, stderr, .. } = &self;
        let said = stdout.contains(part) || stderr.contains(part);
        assert!(said, "no `{part}` in\nstdout:\n{stdout}\nstderr:\n{stderr}");
        self
    }
}
