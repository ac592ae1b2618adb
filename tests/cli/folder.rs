use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A time at which decisions are made, so that they can be held against texts.
pub(crate) const AT: &str = "2026-11-23T12:00:00Z";

/// A gate for the metric `auc` of the fraud models.
pub(crate) const GATE: &str = "\
version: 1
gates:
  - name: production
    models: [\"fraud*\"]
    targets: [stage:Production]
    policies:
      - use: std/metric-threshold
        params: {metrics: [{name: auc, min: 0.9}]}
";

/// A gate for the fraud models, with one policy, given as the lines below `policies`.
pub(crate) fn gate_of(policy: &str) -> String {
    GATE.split("      - use").next().unwrap().to_owned() + policy
}

/// A project: a gate file, evidence, and lockgate run in it.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With [`GATE`] and a value of its metric as evidence.
    pub(crate) fn with_auc(auc: f64) -> Self {
        Self::with_gate(GATE).file("evidence/metrics.json", metrics(auc))
    }

    pub(crate) fn with_gate(gate_file: &str) -> Self {
        Self::empty().file("lockgate.yaml", gate_file)
    }

    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// lockgate, to be run in the folder. Nothing of the surroundings of the tests gets through
    /// to it but a cache that all tests share.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockgate"));
        command
            .current_dir(self.0.path())
            .env_clear()
            .env("LOCKGATE_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"))
            .stdin(Stdio::null());
        command
    }

    /// Runs lockgate with these arguments, separated by blanks.
    pub(crate) fn run(&self, arguments: &str) -> Ran {
        self.run_with(arguments.split_whitespace())
    }

    pub(crate) fn run_with(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ran {
        ran(self.command().args(arguments))
    }

    /// Asks for version 3 of the fraud detector to go to production, with more arguments.
    pub(crate) fn check(&self, more: &str) -> Ran {
        self.run(&format!(
            "check fraud-detector/3 --to stage:Production --evidence evidence --at {AT} {more}"
        ))
    }
}

/// Evidence that says `auc`.
pub(crate) fn metrics(auc: f64) -> String {
    format!(r#"{{"lockgate": "evidence/v1", "metrics": [{{"name": "auc", "value": {auc}}}]}}"#)
}

/// How a run ended and what it said.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn ran(command: &mut Command) -> Ran {
    finished(command.output().unwrap())
}

pub(crate) fn finished(output: Output) -> Ran {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let ran = Ran {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: without_compiling(&text(output.stderr)),
    };
    for stream in [&ran.stdout, &ran.stderr] {
        assert!(!stream.contains("panicked"), "{stream}");
    }
    ran
}

/// Which test is the first to compile a policy is chance.
fn without_compiling(stderr: &str) -> String {
    let lines = stderr.lines().filter(|line| !line.starts_with("note: compiling "));
    lines.map(|line| line.to_owned() + "\n").collect()
}

impl Ran {
    /// Holds the exit code against `code`, and shows everything when it is another.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        let Self { stdout, stderr, .. } = &self;
        assert_eq!(self.code, Some(code), "\nstdout:\n{stdout}\nstderr:\n{stderr}");
        self
    }

    /// Holds what was said, on either stream and broken anyhow, against a part of it.
    #[track_caller]
    pub(crate) fn says(self, part: &str) -> Self {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let said = words(&format!("{} {}", self.stdout, self.stderr));
        let Self { stdout, stderr, .. } = &self;
        assert!(said.contains(part), "no `{part}` in\nstdout:\n{stdout}\nstderr:\n{stderr}");
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}
