//! The admission server: reviews answered against a bare axum handler that parses the same body,
//! and requests passed through against nginx. `wrk` makes the load.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;
use tempfile::TempDir;

use crate::table;

const LOCKGATE: &str = env!("CARGO_BIN_EXE_lockgate");

/// Rounds of each of the two that are compared, in turn.
const ROUNDS: usize = 5;
const SECONDS: u32 = 3;
const MIB: u64 = 1 << 20;
const UPLOAD: u64 = 1 << 30;

/// One policy that reads little; there is no evidence, so that it denies.
const GATES: &str = "version: 1
gates:
  - name: serving
    models: [\"*\"]
    targets: [env:prod]
    policies:
      - {use: std/model-metadata, params: {required: [owner, license]}}
";

pub(crate) fn run() -> Result<()> {
    if Command::new("wrk").arg("-v").stdout(Stdio::null()).status().is_err() {
        table::note("no wrk, which makes the load: run `benches/setup.sh`");
        return Ok(());
    }
    let place = TempDir::new()?;
    fs::write(place.path().join("lockgate.yaml"), GATES)?;
    let bare = Server::start(Command::new(bare_program()?))?;
    reviews(place.path(), &bare)?;
    pass_through(place.path(), &bare)
}

fn reviews(place: &Path, bare: &Server) -> Result<()> {
    let lockgate = Server::lockgate(place, &[])?;
    let idle = lockgate.memory()?;
    table::title(
        "Admission reviews through one policy: answers a second, and a bare axum handler's",
    );
    table::rates_heading("bare axum");
    let mut curve = Vec::new();
    for (what, dry_run, connections, bar) in [
        ("not recorded, 8 connections", true, 8, 0.40),
        ("not recorded, 64 connections", true, 64, 0.40),
        ("recorded, 8 connections", false, 8, 0.0),
        ("recorded, 64 connections", false, 64, 0.25),
    ] {
        let script = place.join("review.lua");
        fs::write(&script, lua(&review(dry_run)))?;
        let load = |server: &Server| wrk(server, "/k8s/validate", connections, Some(&script));
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(load(&lockgate)?);
            theirs.push(load(bare)?);
            curve.push(lockgate.memory()?);
        }
        table::rates(what, &rates(&ours), &rates(&theirs), (bar > 0.0).then_some(bar));
        let mut tails: Vec<Duration> = ours.iter().map(|load| load.tail).collect();
        tails.sort_unstable();
        let tail = tails.get(tails.len() / 2).copied().unwrap_or_default();
        let bar = (!dry_run && connections == 64).then_some(Duration::from_millis(10));
        table::single("  99 of 100 below", tail, bar);
    }
    table::title("Memory of the server");
    table::memory("idle", idle, Some(64 * MIB));
    for (number, memory) in curve.iter().enumerate() {
        table::memory(&format!("after round {}", number + 1), *memory, None);
    }
    Ok(())
}

fn pass_through(place: &Path, upstream: &Server) -> Result<()> {
    let mlflow = format!("http://{}", upstream.address);
    let gateway = Server::lockgate(place, &["--mlflow", &mlflow])?;
    let Some(nginx) = nginx(place, upstream)? else {
        table::note("no nginx, which the gateway is measured against: run `benches/setup.sh`");
        return Ok(());
    };
    table::title("Requests passed through to a server behind, and nginx in the same place");
    table::rates_heading("nginx");
    for connections in [8, 64] {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(wrk(&gateway, "/small", connections, None)?);
            theirs.push(wrk(&nginx, "/small", connections, None)?);
        }
        let what = format!("small requests a second, {connections} connections");
        table::rates(&what, &rates(&ours), &rates(&theirs), Some(0.80));
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(upload(&gateway)?);
        theirs.push(upload(&nginx)?);
    }
    table::rates("upload of 1 GiB, MiB a second", &ours, &theirs, Some(0.80));
    table::memory("peak memory of the gateway", gateway.peak_memory()?, None);
    Ok(())
}

/// A server that ends with this value.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts a program that prints its address at the end of its first line.
    fn start(mut command: Command) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("its output")?).read_line(&mut line)?;
        let address = line.trim().rsplit([' ', '/']).next().unwrap_or_default().to_owned();
        Ok(Self { child, address })
    }

    fn lockgate(place: &Path, more: &[&str]) -> Result<Self> {
        let record = place.join(format!("record-{}.db", more.len()));
        let mut command = Command::new(LOCKGATE);
        command
            .current_dir(place)
            .env("LOCKGATE_CACHE_DIR", place.join("cache"))
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "error", "--record"])
            .arg(record)
            .args(more);
        let server = Self::start(command)?;
        let start = Instant::now();
        while !server.is_ready() {
            if start.elapsed() > Duration::from_secs(60) {
                bail!("lockgate does not get ready");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    fn is_ready(&self) -> bool {
        let ask = || -> Result<String> {
            let mut stream = TcpStream::connect(&self.address)?;
            stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    fn memory(&self) -> Result<u64> {
        self.status("VmRSS:")
    }

    fn peak_memory(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("a figure")?;
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes << 10)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bare_program() -> Result<PathBuf> {
    let program = Path::new(LOCKGATE).with_file_name("examples").join("bare-axum");
    if !program.is_file() {
        bail!("`{}` is not built; run `benches/setup.sh`", program.display());
    }
    Ok(program)
}

/// Debian's nginx before `upstream`, with connections kept as the gateway keeps them.
fn nginx(place: &Path, upstream: &Server) -> Result<Option<Server>> {
    let free = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = free.local_addr()?.to_string();
    drop(free);
    let path = place.display();
    let configuration = format!(
        "daemon off; pid {path}/nginx.pid; error_log {path}/nginx.log; worker_processes auto;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_max_body_size 0; client_body_temp_path {path}/body;
  proxy_temp_path {path}/proxy; fastcgi_temp_path {path}/f; uwsgi_temp_path {path}/u; scgi_temp_path {path}/s;
  upstream behind {{ server {}; keepalive 64; }}
  server {{
    listen {address};
    keepalive_requests 1000000;
    location / {{
      proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection \"\";
      proxy_request_buffering off; proxy_buffering off;
    }}
  }}
}}
",
        upstream.address
    );
    let file = place.join("nginx.conf");
    fs::write(&file, configuration)?;
    let started = Command::new("nginx").arg("-c").arg(&file).stderr(Stdio::null()).spawn();
    let Ok(child) = started else { return Ok(None) };
    let server = Server { child, address };
    let start = Instant::now();
    while TcpStream::connect(&server.address).is_err() {
        if start.elapsed() > Duration::from_secs(10) {
            bail!("nginx does not start");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(Some(server))
}

/// What a run of load came to.
struct Load {
    /// Answers a second.
    rate: f64,
    /// The time that one of a hundred answers exceeded.
    tail: Duration,
}

fn rates(loads: &[Load]) -> Vec<f64> {
    loads.iter().map(|load| load.rate).collect()
}

fn wrk(server: &Server, path: &str, connections: u32, script: Option<&Path>) -> Result<Load> {
    let mut command = Command::new("wrk");
    command
        .arg("-t1")
        .arg(format!("-c{connections}"))
        .arg(format!("-d{SECONDS}s"))
        .arg("--latency");
    if let Some(script) = script {
        command.arg("-s").arg(script);
    }
    let output = command.arg(format!("http://{}{path}", server.address)).output()?;
    let text = String::from_utf8(output.stdout)?;
    if text.contains("Non-2xx") || !output.status.success() {
        bail!("`{path}` was not answered as it should be:\n{text}");
    }
    let after = |name: &str| {
        let line = text.lines().map(str::trim).find_map(|line| line.strip_prefix(name));
        line.map(str::trim).with_context(|| format!("`{name}` in:\n{text}"))
    };
    Ok(Load { rate: after("Requests/sec:")?.parse()?, tail: time(after("99%")?)? })
}

/// `1.25ms`, as wrk writes it.
fn time(text: &str) -> Result<Duration> {
    let at = text.find(|c: char| c.is_alphabetic()).context("a unit")?;
    let (number, unit) = text.split_at(at);
    let scale = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => bail!("the unit of `{text}`"),
    };
    Ok(Duration::from_secs_f64(number.parse::<f64>()? * scale))
}

/// MiB a second.
fn upload(server: &Server) -> Result<f64> {
    let chunk = vec![7; 1 << 20];
    let start = Instant::now();
    let mut stream = TcpStream::connect(&server.address)?;
    let head = format!(
        "PUT /upload HTTP/1.1\r\nhost: x\r\ncontent-length: {UPLOAD}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    for _ in 0..UPLOAD / MIB {
        stream.write_all(&chunk)?;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if !answer.contains(&UPLOAD.to_string()) {
        bail!("the upload was answered with:\n{answer}");
    }
    #[expect(clippy::cast_precision_loss, reason = "a thousand")]
    let mebibytes = (UPLOAD / MIB) as f64;
    Ok(mebibytes / start.elapsed().as_secs_f64())
}

fn review(dry_run: bool) -> String {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "serving.kserve.io", "version": "v1beta1", "kind": "InferenceService"},
            "resource": {"group": "serving.kserve.io", "version": "v1beta1", "resource": "inferenceservices"},
            "namespace": "prod",
            "operation": "CREATE",
            "userInfo": {"username": "alice", "groups": ["system:authenticated"]},
            "object": {
                "apiVersion": "serving.kserve.io/v1beta1",
                "kind": "InferenceService",
                "metadata": {"name": "fraud", "namespace": "prod", "labels": {"team": "risk"}},
                "spec": {"predictor": {"model": {
                    "modelFormat": {"name": "sklearn"},
                    "storageUri": "models:/fraud-detector/3",
                    "resources": {"requests": {"cpu": "1", "memory": "2Gi"}},
                }}},
            },
            "oldObject": null,
            "dryRun": dry_run,
            "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
        },
    })
    .to_string()
}

fn lua(body: &str) -> String {
    format!(
        "wrk.method = \"POST\"\nwrk.headers[\"Content-Type\"] = \"application/json\"\nwrk.body = [==[{body}]==]\n"
    )
}
