//! A folder with a gate file and evidence, and the command run in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Evidence that the gate of [`GATE`] allows.
pub(crate) const GOOD: &str = r#"{
  "lockgate": "evidence/v1",
  "collected_at": "2026-11-23T09:00:00Z",
  "metrics": [{"name": "accuracy", "value": 0.95}]
}"#;

/// The same with a value below the limit.
pub(crate) const BAD: &str = r#"{
  "lockgate": "evidence/v1",
  "collected_at": "2026-11-23T09:00:00Z",
  "metrics": [{"name": "accuracy", "value": 0.85}]
}"#;

pub(crate) const GATE: &str = "\
version: 1
gates:
  - name: production
    models: [\"fraud-*\"]
    targets: [stage:Production]
    require: {metrics: 7d}
    policies:
      - use: std/metric-threshold
        params: {metrics: [{name: accuracy, min: 0.9}]}
";

pub(crate) const AT: &str = "2026-11-23T12:00:00Z";

pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new(gate: &str, evidence: &str) -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        bench.write("lockgate.yaml", gate);
        bench.write("evidence/metrics.json", evidence);
        bench
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// The command in this folder, with compiled policies shared between tests.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockgate"));
        command
            .current_dir(self.path())
            .env_clear()
            .env("LOCKGATE_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"))
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Ran {
        Ran::of(self.command().args(arguments).output().unwrap())
    }

    /// `lockgate check fraud-detector/3 --to stage:Production` on the evidence folder.
    pub(crate) fn check(&self, more: &[&str]) -> Ran {
        let fixed = [
            "check",
            "fraud-detector/3",
            "--to",
            "stage:Production",
            "--at",
            AT,
            "--evidence",
            "evidence",
        ];
        self.run(fixed.iter().chain(more))
    }
}

pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let ran = Self {
            // None after a signal, such as that of an abort.
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        ran
    }

    pub(crate) fn exits_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{}\n{}", self.out, self.err);
        self
    }

    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.out.contains(text), "{text:?} is not in\n{}\n{}", self.out, self.err);
        self
    }

    pub(crate) fn tells(self, text: &str) -> Self {
        assert!(self.err.contains(text), "{text:?} is not in\n{}\n{}", self.err, self.out);
        self
    }
}
