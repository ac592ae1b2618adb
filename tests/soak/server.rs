//! The real process, which can be killed and started again in the same folder.

use std::collections::HashSet;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use lockgate::record::{Options, Record};
use rustix::process::{Pid, Signal, kill_process};

use super::http::get;

pub(crate) const GATES: &str = "\
version: 1
gates:
  - name: production
    models: [\"fraud*\"]
    targets: [stage:Production, \"env:prod*\"]
    policies:
      - use: std/metric-threshold
        params: {metrics: [{name: auc, min: 0.9}]}
";

pub(crate) struct Server {
    folder: tempfile::TempDir,
    pub(crate) address: SocketAddr,
    backend: SocketAddr,
    child: Mutex<Child>,
}

/// What became of the record.
pub(crate) struct Verified {
    pub(crate) found: usize,
    pub(crate) chain: u64,
    pub(crate) faults: Vec<String>,
}

impl Server {
    pub(crate) fn start(backend: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("lockgate.yaml"), GATES).unwrap();
        // Clients find it there again after a restart.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Mutex::new(spawn(&folder, address, backend));
        let server = Self { folder, address, backend, child };
        server.until_ready();
        server
    }

    pub(crate) fn binary(&self) -> PathBuf {
        binary()
    }

    pub(crate) fn write_gates(&self, text: &str) {
        std::fs::write(self.folder.path().join("lockgate.yaml"), text).unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        kill_process(Pid::from_child(&child), signal).unwrap();
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.lock().unwrap_or_else(PoisonError::into_inner).id()
    }

    /// Kills it in the midst of everything, has its record verified, and starts it again.
    pub(crate) fn kill_and_restart(&self) -> Option<String> {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        child.kill().unwrap();
        child.wait().unwrap();
        let fault = self.verify_log().err();
        *child = spawn(&self.folder, self.address, self.backend);
        drop(child);
        self.until_ready();
        fault
    }

    pub(crate) fn until_ready(&self) {
        let end = Instant::now() + Duration::from_secs(60);
        let answers = || std::net::TcpStream::connect(self.address).is_ok();
        while !answers() || get("/readyz").send(self.address).status != 200 {
            assert!(Instant::now() < end, "the server is not ready after a minute");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn verify_log(&self) -> Result<(), String> {
        let mut command = Command::new(binary());
        command.args(["decision", "verify-log", "--record", "lockgate.db"]);
        let output = command.current_dir(self.folder.path()).output().unwrap();
        if output.status.success() {
            return Ok(());
        }
        Err(format!("verify-log: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// Stops it as one does, and holds its record against what it answered.
    pub(crate) fn end_and_verify(&self, answered: Vec<String>) -> Verified {
        self.signal(Signal::TERM);
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let status = child.wait().unwrap();
        let mut faults = Vec::new();
        if status.code() != Some(0) {
            faults.push(format!("it ended with {status}"));
        }
        faults.extend(self.verify_log().err());
        let place = self.folder.path().join("lockgate.db");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (found, chain) = runtime.block_on(async {
            let place = place.to_str().unwrap().parse().unwrap();
            let record = Record::open(&place, Options::read()).await.unwrap();
            let answered: HashSet<_> = answered.iter().map(|id| id.parse().unwrap()).collect();
            let mut found = 0;
            for id in answered {
                found += usize::from(record.get(id).await.unwrap().is_some());
            }
            (found, record.verify(&[]).await.unwrap().decisions())
        });
        if found != answered.len() {
            let lost = answered.len() - found;
            faults.push(format!("{lost} decisions that were answered are not on record"));
        }
        Verified { found, chain, faults }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn binary() -> PathBuf {
    let given = std::env::var_os("SOAK_BINARY").map(PathBuf::from);
    let binary = given.unwrap_or_else(|| env!("CARGO_BIN_EXE_lockgate").into());
    binary.canonicalize().unwrap_or_else(|_| panic!("there is no `{}`", binary.display()))
}

fn spawn(folder: &tempfile::TempDir, address: SocketAddr, backend: SocketAddr) -> Child {
    Command::new(binary())
        .args(["serve", "--listen", &address.to_string(), "--record", "lockgate.db"])
        .args(["--mlflow", &format!("http://{backend}"), "--header-timeout", "5"])
        // One line for each decision would be most of what there is to look at.
        .args(["--log", "warn"])
        .current_dir(folder.path())
        .env_clear()
        .env("LOCKGATE_CACHE_DIR", folder.path().join("cache"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap()
}
