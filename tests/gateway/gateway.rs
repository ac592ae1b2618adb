//! `lockgate serve --mlflow` as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::server::send;

/// Guards `champion`, `Production` and the environment `prod` by one metric; keeps what is there.
pub(crate) const GATE_FILE: &str = "\
version: 1
unmatched: allow
gates:
  - name: production
    models: ['*']
    targets: [stage:Production, alias:champion, env:prod]
    policies:
      - use: std/metric-threshold
        params: {metrics: [{name: val_auc, min: 0.9}]}
mlflow:
  environments: ['prod.*']
  promotion-tags: [{tag: deploy}]
";

pub(crate) struct Gateway {
    child: Child,
    pub(crate) url: String,
    _folder: tempfile::TempDir,
}

impl Gateway {
    pub(crate) fn start(mlflow: &str) -> Self {
        Self::start_with(mlflow, GATE_FILE, &[], |_| {})
    }

    /// With a gate file, further options, and files that `prepare` puts beside the gate file.
    pub(crate) fn start_with(
        mlflow: &str,
        gate_file: &str,
        options: &[&str],
        prepare: impl FnOnce(&Path),
    ) -> Self {
        Self::start_in(mlflow, gate_file, options, &[], prepare)
    }

    /// The same with variables of the environment.
    pub(crate) fn start_in(
        mlflow: &str,
        gate_file: &str,
        options: &[&str],
        variables: &[(&str, &str)],
        prepare: impl FnOnce(&Path),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("lockgate.yaml"), gate_file).unwrap();
        prepare(folder.path());
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_lockgate"))
            .args(["serve", "--listen", "127.0.0.1:0", "--mlflow", mlflow])
            .args(options)
            .current_dir(folder.path())
            .env("LOCKGATE_RECORD", "record.db")
            .env_remove("MLFLOW_TRACKING_TOKEN")
            .envs(variables.iter().copied())
            .env("LOCKGATE_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = || std::fs::read_to_string(folder.path().join("log")).unwrap();
        let line = lines.next().unwrap_or_else(|| panic!("it ended: {}", said())).unwrap();
        let url = line.rsplit(' ').next().unwrap().to_owned();
        let gateway = Self { child, url, _folder: folder };
        gateway.until("it is ready", || send(&gateway.url, "GET", "/readyz", None).0 == 200);
        gateway
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.url.split("://").nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        send(&self.url, method, path, Some(body.to_string().into_bytes()))
    }

    /// Sends a change of the registry.
    pub(crate) fn change(&self, method: &str, route: &str, body: &Value) -> (u16, Value) {
        self.send(method, &format!("/api/2.0/mlflow/{route}"), body)
    }

    /// The decisions on record by one way.
    pub(crate) fn decisions(&self, origin: &str) -> Vec<Value> {
        let (status, answer) = send(&self.url, "GET", "/v1/decisions", None);
        assert_eq!(status, 200, "{answer}");
        let decisions = answer["decisions"].as_array().unwrap().clone();
        decisions.into_iter().filter(|decision| decision["origin"] == origin).collect()
    }

    pub(crate) fn metrics(&self) -> String {
        let (status, text) = send(&self.url, "GET", "/metrics", None);
        assert_eq!(status, 200);
        text.as_str().unwrap().to_owned()
    }

    /// Runs another command of lockgate where it keeps its record; what it prints.
    pub(crate) fn lockgate(&self, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_lockgate"))
            .args(arguments)
            .args(["--record", "record.db"])
            .current_dir(self._folder.path())
            .env("LOCKGATE_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What was logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self._folder.path().join("log")).unwrap()
    }

    /// Kibibytes of memory, now and at most.
    pub(crate) fn memory(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().split(' ').next().unwrap().parse().unwrap()
        };
        (field("VmRSS:"), field("VmHWM:"))
    }

    /// Waits for what happens by itself.
    pub(crate) fn until(&self, what: &str, happened: impl Fn() -> bool) {
        let start = Instant::now();
        while !happened() {
            assert!(start.elapsed() < Duration::from_secs(60), "{what}: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
