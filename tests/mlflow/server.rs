//! A real MLflow server with SQLite and files, on loopback.
//!
//! It takes ten seconds to start, and every test is a process of its own, so tests share one: the
//! first starts it and the last lets it end (`serve.py`). Each test makes models of its own name.
//! Whoever must stop the server or slow it down starts one of its own.

#![allow(dead_code, reason = "not every test that shares this uses all of it")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process_group};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use serde_json::{Value, json};

/// MLflow's own.
const DEFAULT_EXPERIMENT: &str = "0";

const START: Duration = Duration::from_secs(180);

/// A server that answers.
pub(crate) struct Mlflow {
    url: String,
    /// Sent with every request.
    headers: Vec<(&'static str, String)>,
    /// Where runs are made.
    experiment: String,
    /// Held for as long as the server is used.
    _users: Option<File>,
    own: Option<Own>,
}

/// A server of one test alone; ends with it.
struct Own {
    folder: tempfile::TempDir,
    child: Child,
}

/// The Python that has MLflow; `scripts/setup.sh test` installs it.
pub(crate) fn python() -> PathBuf {
    let python = root().join("target/venv/bin/python");
    assert!(python.exists(), "no {}; run scripts/setup.sh test", python.display());
    python
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn serve(folder: &Path, options: &[&str]) -> Child {
    Command::new(python())
        .arg(root().join("tests/mlflow/serve.py"))
        .arg(folder)
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn wait_for_address(folder: &Path, child: &mut Child) -> String {
    let started = Instant::now();
    loop {
        if let Ok(address) = fs::read_to_string(folder.join("address")) {
            return address;
        }
        let ended = child.try_wait().unwrap();
        let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
        assert!(ended.is_none(), "MLflow ended: {}", log());
        assert!(started.elapsed() < START, "MLflow does not start: {}", log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl Mlflow {
    /// The server that all tests share.
    pub(crate) fn shared() -> Self {
        let folder = root().join("target/tmp/mlflow");
        fs::create_dir_all(&folder).unwrap();
        let open = |name: &str| {
            File::options()
                .create(true)
                .write(true)
                .truncate(false)
                .open(folder.join(name))
                .unwrap()
        };
        // One starts, the others wait for it here.
        let starting = open("starting");
        flock(&starting, FlockOperation::LockExclusive).unwrap();
        let users = open("users");
        flock(&users, FlockOperation::LockShared).unwrap();
        let address = folder.join("address");
        let url = match fs::read_to_string(&address) {
            Ok(url) if answers(&url) => url,
            _ => {
                let _ = fs::remove_file(&address);
                wait_for_address(&folder, &mut serve(&folder, &[]))
            }
        };
        Self {
            url,
            headers: Vec::new(),
            experiment: DEFAULT_EXPERIMENT.to_owned(),
            _users: Some(users),
            own: None,
        }
    }

    /// A server of this test alone, which ends with it.
    pub(crate) fn own(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let users = File::create(folder.path().join("users")).unwrap();
        flock(&users, FlockOperation::LockShared).unwrap();
        let mut child = serve(folder.path(), options);
        let url = wait_for_address(folder.path(), &mut child);
        Self {
            url,
            headers: Vec::new(),
            experiment: DEFAULT_EXPERIMENT.to_owned(),
            _users: Some(users),
            own: Some(Own { folder, child }),
        }
    }

    /// The same server, or what stands before it, at `url`, asked with `headers`.
    pub(crate) fn seen_from(&self, url: &str, headers: &[(&'static str, &str)]) -> Self {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let experiment = self.experiment.clone();
        Self { url: url.to_owned(), headers, experiment, _users: None, own: None }
    }

    /// The same with runs in an experiment of its own, as only one workspace has the default one.
    pub(crate) fn with_experiment(mut self) -> Self {
        let answer = self.api("POST", "experiments/create", &json!({"name": self.name("runs")}));
        self.experiment = answer["experiment_id"].as_str().unwrap().to_owned();
        self
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A name that no other test uses.
    pub(crate) fn name(&self, stem: &str) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        format!("{stem}-{}-{count}", std::process::id())
    }

    /// Sends one request; the status and the answer, JSON or text.
    pub(crate) fn send(&self, method: &str, path: &str, body: Option<Vec<u8>>) -> (u16, Value) {
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        send_with(&self.url, method, path, body, &headers)
    }

    /// Asks the REST API for what must succeed.
    pub(crate) fn api(&self, method: &str, route: &str, body: &Value) -> Value {
        let bytes = Some(body.to_string().into_bytes());
        let (status, answer) = self.send(method, &format!("/api/2.0/mlflow/{route}"), bytes);
        assert_eq!(status, 200, "{method} {route} {body}: {answer}");
        answer
    }

    /// Reads from the REST API.
    pub(crate) fn get(&self, route: &str) -> Value {
        let (status, answer) = self.send("GET", &format!("/api/2.0/mlflow/{route}"), None);
        assert_eq!(status, 200, "{route}: {answer}");
        answer
    }

    /// A finished run with metrics: its id, and where its artifacts are.
    pub(crate) fn run(&self, metrics: &[(&str, f64)]) -> (String, String) {
        let run = self.api(
            "POST",
            "runs/create",
            &json!({"experiment_id": self.experiment, "start_time": 1}),
        );
        let info = &run["run"]["info"];
        let id = info["run_id"].as_str().unwrap().to_owned();
        let artifacts = info["artifact_uri"].as_str().unwrap().to_owned();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let now = u64::try_from(now.as_millis()).unwrap();
        for (key, value) in metrics {
            let body = json!({"run_id": id, "key": key, "value": value, "timestamp": now});
            self.api("POST", "runs/log-metric", &body);
        }
        self.api(
            "POST",
            "runs/update",
            &json!({"run_id": id, "status": "FINISHED", "end_time": now}),
        );
        (id, artifacts)
    }

    /// Writes a file among the artifacts of a run.
    pub(crate) fn artifact(&self, run: &str, path: &str, content: &[u8]) {
        let target = format!("/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/{path}");
        let (status, answer) = self.send("PUT", &target, Some(content.to_vec()));
        assert_eq!(status, 200, "{target}: {answer}");
    }

    /// A registered model without versions.
    pub(crate) fn model(&self, name: &str) {
        self.api("POST", "registered-models/create", &json!({"name": name}));
    }

    /// A version of a model whose files are those of a run; its number.
    pub(crate) fn version(&self, model: &str, (run, artifacts): &(String, String)) -> String {
        let source = format!("{artifacts}/model");
        let body = json!({"name": model, "source": source, "run_id": run});
        let answer = self.api("POST", "model-versions/create", &body);
        answer["model_version"]["version"].as_str().unwrap().to_owned()
    }

    /// The version that an alias means.
    pub(crate) fn alias(&self, model: &str, alias: &str) -> Option<String> {
        let answer = self.get(&format!("registered-models/get?name={model}"));
        let aliases = answer["registered_model"]["aliases"].as_array()?.clone();
        let own = aliases.into_iter().find(|entry| entry["alias"] == alias)?;
        own["version"].as_str().map(str::to_owned)
    }

    /// Ends a server of one's own, at once.
    pub(crate) fn kill(&mut self) {
        if let Some(own) = &mut self.own {
            own.end();
        }
    }
}

impl Own {
    fn end(&mut self) {
        // It would end by itself once the lock is let go of, which takes a while; this is at once.
        let pid = fs::read_to_string(self.folder.path().join("pid")).ok();
        let pid = pid.and_then(|pid| Pid::from_raw(pid.parse().ok()?));
        if let Some(pid) = pid {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.end();
    }
}

fn answers(url: &str) -> bool {
    std::panic::catch_unwind(|| send(url, "GET", "/health", None).0 == 200).unwrap_or(false)
}

/// Sends one request to any server; the status and the answer, JSON or text.
pub(crate) fn send(url: &str, method: &str, path: &str, body: Option<Vec<u8>>) -> (u16, Value) {
    send_with(url, method, path, body, &[])
}

/// The same with further headers.
pub(crate) fn send_with(
    url: &str,
    method: &str,
    path: &str,
    body: Option<Vec<u8>>,
    headers: &[(&'static str, &str)],
) -> (u16, Value) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(trusting_anybody())
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(https);
        let mut request = Request::new(Full::new(Bytes::from(body.unwrap_or_default())));
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        *request.uri_mut() = format!("{url}{path}").parse().unwrap();
        request.headers_mut().insert("content-type", "application/json".parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let response = client.request(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
        (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| text()))
    })
}

/// For what is no test of TLS.
fn trusting_anybody() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth()
}

#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
