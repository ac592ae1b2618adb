//! A server in a folder of its own.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use lockgate_guests as guests;
use serde_json::{Value, json};

use super::http::{PATIENCE, Request, Response, get, post};

/// A gate for the metric `auc` of the fraud models.
pub(crate) const GATE: &str = "\
version: 1
gates:
  - name: production
    models: [\"fraud*\"]
    targets: [stage:Production, \"env:prod*\"]
    policies:
      - use: std/metric-threshold
        params: {metrics: [{name: auc, min: 0.9}]}
";

/// A gate with the one policy of a guest.
pub(crate) fn gate_of(guest: &str, more: &str) -> String {
    let start = GATE.split("      - use").next().unwrap();
    format!("{start}      - use: {guest}.wasm\n{more}")
}

/// What a server is started from.
pub(crate) struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    pub(crate) fn new(gate_file: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let this = Self { folder };
        this.write("lockgate.yaml", gate_file);
        this
    }

    /// With the component of a guest.
    pub(crate) fn guest(self, name: &str, core: &str) -> Self {
        self.write(&format!("{name}.wasm"), guests::component(core));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// The same at once, so that nobody reads a part of it.
    pub(crate) fn replace(&self, name: &str, content: impl AsRef<[u8]>) {
        self.write("replacement", content);
        std::fs::rename(self.path("replacement"), self.path(name)).unwrap();
    }

    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockgate"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env_clear()
            .env("LOCKGATE_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"))
            .env("LOCKGATE_RECORD", "lockgate.db")
            .stdin(Stdio::null());
        command
    }

    /// Starts a server, which is ready when this returns.
    pub(crate) fn serve(self, arguments: &str) -> Served {
        let served = self.start(arguments);
        served.until_logged("ready");
        served
    }

    /// Starts a server, and returns when it listens.
    pub(crate) fn start(self, arguments: &str) -> Served {
        let command =
            self.command(&format!("serve --listen 127.0.0.1:0 --log-format json {arguments}"));
        Served::start(self, command)
    }

    /// A token with these roles, added to the file of tokens.
    pub(crate) fn token(&self, name: &str, roles: &[&str]) -> String {
        let roles: Vec<String> = roles.iter().map(|role| format!("--role {role}")).collect();
        let made = self.command(&format!("token new {name} {}", roles.join(" "))).output().unwrap();
        assert!(made.status.success());
        let line = String::from_utf8(made.stdout).unwrap();
        let tokens = std::fs::read_to_string(self.path("tokens")).unwrap_or_default() + &line;
        self.write("tokens", tokens);
        let said = String::from_utf8(made.stderr).unwrap();
        said.lines().last().unwrap().to_owned()
    }
}

pub(crate) struct Served {
    pub(crate) folder: Folder,
    pub(crate) address: SocketAddr,
    child: Child,
    _stdout: BufReader<ChildStdout>,
    log: Receiver<Value>,
}

impl Served {
    pub(crate) fn start(folder: Folder, mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (line, log) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for said in stderr.lines().map_while(Result::ok) {
                assert!(!said.contains("panicked"), "{said}");
                let value = serde_json::from_str(&said).unwrap_or(Value::String(said));
                if line.send(value).is_err() {
                    break;
                }
            }
        });
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        stdout.read_line(&mut said).unwrap();
        let address = said.trim_end().rsplit("//").next().and_then(|text| text.parse().ok());
        let Some(address) = address else {
            panic!("did not start: {said:?} {:?}", log.iter().collect::<Vec<_>>());
        };
        Self { folder, address, child, _stdout: stdout, log }
    }

    /// Waits for a line of the log with these words, and returns it.
    #[track_caller]
    pub(crate) fn until_logged(&self, words: &str) -> Value {
        let end = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            match self.log.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) if line.to_string().contains(words) => return line,
                Ok(line) => seen.push(line),
                Err(error) => panic!("never logged `{words}`, {error}: {seen:#?}"),
            }
        }
    }

    /// The same, and no line until then has these other words.
    #[track_caller]
    pub(crate) fn until_logged_without(&self, words: &str, other: &str) {
        loop {
            let line = self.log.recv_timeout(PATIENCE).unwrap().to_string();
            assert!(!line.contains(other), "{line}");
            if line.contains(words) {
                return;
            }
        }
    }

    pub(crate) fn send(&self, request: &Request) -> Response {
        request.send(self.address)
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.send(&get(path))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Response {
        self.send(&post(path, body))
    }

    pub(crate) fn decide(&self, auc: f64) -> Response {
        self.post("/v1/decisions", &question(auc))
    }

    /// Every metric by its name with its labels.
    pub(crate) fn metrics(&self) -> HashMap<String, f64> {
        self.get("/metrics")
            .is(200)
            .text()
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.rsplit_once(' '))
            .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
            .collect()
    }

    /// Waits for a metric to have a value; nothing tells when that is so.
    #[track_caller]
    pub(crate) fn until_metric(&self, name: &str, value: f64) {
        let end = Instant::now() + PATIENCE;
        loop {
            let metrics = self.metrics();
            if metrics.get(name).is_some_and(|found| (*found - value).abs() < f64::EPSILON) {
                return;
            }
            assert!(Instant::now() < end, "{name} never was {value}: {metrics:#?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for it to end of itself.
    pub(crate) fn ended(mut self) -> (ExitStatus, Folder) {
        let status = self.child.wait().unwrap();
        let folder = Folder::new("");
        (status, std::mem::replace(&mut self.folder, folder))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Version 3 of the fraud detector asks for production, with this metric.
pub(crate) fn question(auc: f64) -> Value {
    json!({
        "model": "fraud-detector",
        "version": "3",
        "target": "stage:Production",
        "evidence": {"inline": [{"name": "metrics.json", "content": {
            "lockgate": "evidence/v1",
            "metrics": [{"name": "auc", "value": auc}],
        }}]},
    })
}
