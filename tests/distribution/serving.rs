//! A server whose policies are pinned, and have to be signed.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::folder::Folder;
use super::stub::request;
use super::trusting::gated;

const SERVE: &str = "serve --listen 127.0.0.1:0 --record decisions.db --log-format json";

/// A server that is ready.
struct Served {
    child: Child,
    address: String,
    log: Receiver<String>,
}

impl Served {
    fn start(folder: &Folder) -> Self {
        let mut command = folder.command();
        command.args(SERVE.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (said, log) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if said.send(line).is_err() {
                    break;
                }
            }
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().rsplit("//").next().unwrap().to_owned();
        let served = Self { child, address, log };
        served.until_logged("\"ready\"");
        served
    }

    /// Waits for a line of the log with these words, and returns it.
    fn until_logged(&self, words: &str) -> String {
        loop {
            let line = self.log.recv_timeout(Duration::from_secs(60)).unwrap();
            if line.contains(words) {
                return line;
            }
        }
    }

    fn verdict(&self) -> Value {
        let content =
            json!({"lockgate": "evidence/v1", "metrics": [{"name": "auc", "value": 0.95}]});
        let question = json!({
            "model": "fraud-detector", "version": "3", "target": "stage:Production",
            "evidence": {"inline": [{"name": "metrics.json", "content": content}]},
        });
        let headers = "Content-Type: application/json\r\n";
        let body = question.to_string();
        let answer = request(&self.address, "POST", "/v1/decisions", headers, body.as_bytes());
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        answer.pointer("/decision/verdict").unwrap().clone()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

#[test]
fn a_policy_without_the_signature_keeps_the_server_from_starting() {
    let (_registry, folder, reference) = gated();
    folder.run(SERVE).exits(2).says("has to be signed by `risk`");
    folder
        .run(&format!("policy sign {reference} --component tenure.wasm --key keys/risk.key"))
        .exits(0);
    let served = Served::start(&folder);
    assert_eq!(served.verdict(), "allow");
}

#[test]
fn a_key_that_has_signed_nothing_leaves_the_last_good_gates() {
    let (_registry, folder, reference) = gated();
    folder
        .run(&format!("policy sign {reference} --component tenure.wasm --key keys/risk.key"))
        .exits(0);
    let served = Served::start(&folder);
    let risk = folder.read("keys/risk.pub");
    folder.write("keys/risk.pub", folder.read("keys/other.pub"));
    let told = served.until_logged("the gates cannot be used");
    assert!(told.contains("another key"), "{told}");
    assert_eq!(served.verdict(), "allow");
    let ready = request(&served.address, "GET", "/readyz", "", b"");
    assert!(String::from_utf8(ready.body).unwrap().contains("\"stale\""));
    // A policy that is locked to other bytes is not loaded either.
    folder.write("keys/risk.pub", risk);
    let lock = folder.text("lockgate.lock");
    let digest = lock.split("sha256:").nth(1).unwrap().split(|c: char| !c.is_ascii_hexdigit());
    let digest = digest.into_iter().next().unwrap();
    folder.write("lockgate.lock", lock.replace(digest, &"0".repeat(64)));
    served.until_logged("the gates cannot be used");
    assert_eq!(served.verdict(), "allow");
}
