//! A project with policies, a cache of its own, and lockgate run in it.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use lockgate::wasm::standard_component;
use serde_json::Value;

/// A time at which decisions are made.
const AT: &str = "2026-11-23T12:00:00Z";

/// A folder with `tenure.wasm`, which is the metric threshold by another name, `other.wasm`, which
/// is another policy, and evidence on which the first allows.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let this = Self(tempfile::tempdir().unwrap());
        this.write("tenure.wasm", standard_component("metric-threshold").unwrap());
        this.write("other.wasm", standard_component("model-metadata").unwrap());
        let evidence =
            r#"{"lockgate": "evidence/v1", "metrics": [{"name": "auc", "value": 0.95}]}"#;
        this.write("evidence/metrics.json", evidence);
        this
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    /// Changes one byte of a file.
    pub(crate) fn damage(&self, name: &str) {
        damage(&self.path(name));
    }

    /// A gate file with one policy, and more lines at its top level.
    pub(crate) fn gate(&self, policy: &str, more: &str) {
        let text = format!(
            "version: 1\ngates:\n  - name: production\n    models: [\"fraud*\"]\n    targets: [stage:Production]\n    policies:\n      - id: tenure\n        use: {policy}\n        params: {{metrics: [{{name: auc, min: 0.9}}]}}\n{more}"
        );
        self.write("lockgate.yaml", text);
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockgate"));
        command
            .current_dir(self.0.path())
            .env_clear()
            .env("LOCKGATE_CACHE_DIR", self.path("cache"))
            .env("DOCKER_CONFIG", self.path("docker"))
            .stdin(Stdio::null());
        command
    }

    /// Runs lockgate with these arguments, separated by blanks.
    pub(crate) fn run(&self, arguments: &str) -> Ran {
        ran(self.command().args(arguments.split_whitespace()))
    }

    /// Judges the fraud detector.
    pub(crate) fn check(&self, more: &str) -> Ran {
        self.run(&format!(
            "check fraud-detector/3 --to stage:Production --evidence evidence --at {AT} --format json {more}"
        ))
    }

    /// Forgets everything that was pulled or compiled.
    pub(crate) fn forget(&self) {
        let _ = std::fs::remove_dir_all(self.path("cache"));
    }
}

/// Changes one byte in the middle of a file.
pub(crate) fn damage(path: &std::path::Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    *bytes.get_mut(middle).unwrap() ^= 1;
    std::fs::write(path, bytes).unwrap();
}

/// How a run ended and what it said.
pub(crate) struct Ran {
    code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn ran(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let ran = Ran { code: status.code(), stdout: text(stdout), stderr: text(stderr) };
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran
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
        let said = format!("{} {}", self.stdout, self.stderr);
        assert!(said.contains(part), "no `{part}` in\n{said}");
        self
    }

    #[track_caller]
    pub(crate) fn conceals(self, part: &str) -> Self {
        let said = format!("{} {}", self.stdout, self.stderr);
        assert!(!said.contains(part), "`{part}` in\n{said}");
        self
    }

    /// What was printed, in one line.
    pub(crate) fn line(&self) -> &str {
        self.stdout.trim()
    }

    /// The digest behind the `@` of what was printed.
    pub(crate) fn digest(&self) -> String {
        self.line().rsplit('@').next().unwrap().to_owned()
    }

    /// The part of the one policy in the report.
    pub(crate) fn policy(&self) -> Value {
        let report: Value = serde_json::from_str(&self.stdout).unwrap();
        report.pointer("/gates/0/policies/0").unwrap().clone()
    }

    /// Why the one policy could not judge.
    #[track_caller]
    pub(crate) fn leaves_undecided(self, code: &str) -> Self {
        let this = self.exits(3);
        let policy = this.policy().to_string();
        assert!(policy.contains(&format!("\"code\":\"{code}\"")), "no `{code}` in {policy}");
        this
    }
}
