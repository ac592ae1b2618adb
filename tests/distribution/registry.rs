//! Debian's `docker-registry`, one for each test, on loopback and gone with it.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::stub::{Answer, request};

/// A registry that answers.
pub(crate) struct Registry {
    folder: tempfile::TempDir,
    child: Child,
    port: u16,
}

/// The name and the password that [`Registry::with_password`] lets in.
pub(crate) const NAME: &str = "ann";
pub(crate) const SECRET: &str = "s3cret";

impl Registry {
    pub(crate) fn start() -> Self {
        Self::with("", "", |_| ())
    }

    /// One that speaks TLS, with a certificate that its own authority vouches for: `ca.pem` in the
    /// folder that is given. Its name is not one of this machine's, so nobody speaks plainly to it.
    pub(crate) fn with_tls(shared: &Path) -> Self {
        let tls = ", tls: {certificate: FOLDER/own.pem, key: FOLDER/own.key}";
        Self::with("", tls, |folder| {
            let openssl = |arguments: &str| {
                let done = Command::new("openssl")
                    .args(arguments.split_whitespace())
                    .current_dir(folder)
                    .output()
                    .unwrap();
                assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            };
            let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
            openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=ca"));
            openssl(&format!("req {key} -keyout own.key -out own.csr -subj /CN=registry"));
            std::fs::write(folder.join("names"), "subjectAltName=IP:0.0.0.0\n").unwrap();
            openssl(
                "x509 -req -in own.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out own.pem",
            );
            std::fs::copy(folder.join("ca.pem"), shared.join("ca.pem")).unwrap();
        })
    }

    /// `oci://0.0.0.0:PORT/REST`, which leads to this machine by a name that is not its own.
    pub(crate) fn elsewhere(&self, rest: &str) -> String {
        format!("oci://0.0.0.0:{}/{rest}", self.port)
    }

    /// One that asks for a password.
    pub(crate) fn with_password() -> Self {
        Self::with("auth: {htpasswd: {realm: test, path: FOLDER/htpasswd}}\n", "", |folder| {
            // bcrypt, with the least work.
            let line =
                format!("{NAME}:$2b$04$FliY2GbQFCAYqxO1EjAkuO6WE.H6Mc/SgIhsnTOTnJmEvzwhFfYSS\n");
            std::fs::write(folder.join("htpasswd"), line).unwrap();
        })
    }

    /// One with more in its configuration and in how it speaks HTTP, where `FOLDER` stands for its
    /// folder.
    pub(crate) fn with(more: &str, http: &str, prepare: impl FnOnce(&PathBuf)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().to_owned();
        prepare(&place);
        let probe = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = probe.local_addr().unwrap().port();
        drop(probe);
        let shown = place.to_str().unwrap();
        let (more, http) = (more.replace("FOLDER", shown), http.replace("FOLDER", shown));
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {shown}/data}}}}\nhttp: {{addr: \"127.0.0.1:{port}\"{http}}}\n{more}"
        );
        std::fs::write(place.join("config.yml"), config).unwrap();
        let log = std::fs::File::create(place.join("log")).unwrap();
        let spawned = Command::new("docker-registry")
            .args(["serve", place.join("config.yml").to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        assert!(spawned.is_ok(), "no docker-registry; run scripts/setup.sh test");
        let mut this = Self { folder, child: spawned.unwrap(), port };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = std::fs::read_to_string(place.join("log")).unwrap();
            assert!(this.child.try_wait().unwrap().is_none(), "the registry ended: {log}");
            assert!(started.elapsed() < Duration::from_secs(60), "it does not start: {log}");
            std::thread::sleep(Duration::from_millis(10));
        }
        this
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `oci://127.0.0.1:PORT/REST`.
    pub(crate) fn oci(&self, rest: &str) -> String {
        format!("oci://{}/{rest}", self.address())
    }

    /// The file on the registry's disk with a blob or a manifest.
    pub(crate) fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").unwrap();
        let blobs = self.folder.path().join("data/docker/registry/v2/blobs/sha256");
        let (shelf, _) = hex.split_at(2);
        blobs.join(shelf).join(hex).join("data")
    }

    /// A manifest as the registry has it.
    pub(crate) fn manifest(&self, repository: &str, tag: &str) -> Vec<u8> {
        let accept = "Accept: application/vnd.oci.image.manifest.v1+json\r\nAccept: application/vnd.oci.image.index.v1+json\r\n";
        let answer = self.send("GET", &format!("/v2/{repository}/manifests/{tag}"), accept, b"");
        assert_eq!(answer.status, 200, "{tag}: {:?}", String::from_utf8_lossy(&answer.body));
        answer.body
    }

    /// Puts a blob; its digest.
    pub(crate) fn put_blob(&self, repository: &str, bytes: &[u8]) -> String {
        let digest = lockgate::model::Digest::of(bytes).to_string();
        let start = self.send("POST", &format!("/v2/{repository}/blobs/uploads/"), "", b"");
        let place = start.header("location").unwrap();
        let path = place.split_once(&self.address()).map_or(place.as_str(), |(_, path)| path);
        let separator = if path.contains('?') { '&' } else { '?' };
        let answer = self.send("PUT", &format!("{path}{separator}digest={digest}"), "", bytes);
        assert_eq!(answer.status, 201);
        digest
    }

    /// Puts a manifest under a tag; its digest.
    pub(crate) fn put_manifest(&self, repository: &str, tag: &str, manifest: &[u8]) -> String {
        let value: serde_json::Value = serde_json::from_slice(manifest).unwrap();
        let media_type = value.get("mediaType").and_then(serde_json::Value::as_str).unwrap();
        let path = format!("/v2/{repository}/manifests/{tag}");
        let answer = self.send("PUT", &path, &format!("Content-Type: {media_type}\r\n"), manifest);
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        lockgate::model::Digest::of(manifest).to_string()
    }

    fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        request(&self.address(), method, path, headers, body)
    }

    /// Ends it, as a machine without a network sees it.
    pub(crate) fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub(crate) fn log(&self) -> String {
        let mut text = String::new();
        let log = self.folder.path().join("log");
        std::fs::File::open(log).unwrap().read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop();
    }
}
