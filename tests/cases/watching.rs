//! `lockgate policy test --watch`: runs again whenever something changes, until told to stop.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, ChildStdout, Stdio};

use lockgate_guests as guests;
use rustix::process::{Pid, Signal, kill_process};

use super::CASE;
use super::folder::Folder;

struct Watching {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
}

impl Watching {
    fn start(folder: &Folder) -> Self {
        let mut child = folder
            .command()
            .args(["policy", "test", "guest.wasm", "--watch", "--output", "json=cases/r.json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// Waits until a run has told this.
    fn tells(&mut self, part: &str) {
        until(&mut self.stdout, part);
    }

    /// Waits until this was said on standard error.
    fn says(&mut self, part: &str) {
        until(&mut self.stderr, part);
    }

    fn ends_by(mut self, signal: Signal, code: i32) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(code));
    }
}

fn until(stream: &mut impl BufRead, part: &str) {
    let mut said = String::new();
    while !said.contains(part) {
        assert_ne!(stream.read_line(&mut said).unwrap(), 0, "no `{part}` in {said}");
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn guest_case(outcome: &str) -> String {
    CASE.replace("params: {metrics: [{name: auc, min: 0.9}]}\n", "")
        + &format!("expect: {{outcome: [{{rule: a-rule, outcome: {outcome}}}]}}\n")
}

#[test]
fn runs_again_when_a_case_or_the_component_changes() {
    let folder = Folder::empty()
        .file("guest.wasm", guests::component(guests::HONEST))
        .file("cases/a.yaml", guest_case("pass"));
    let mut watching = Watching::start(&folder);
    watching.tells("✓ 1 passed");
    watching.says("waiting for a change");
    let folder = folder.file("cases/a.yaml", guest_case("fail"));
    watching.tells("✗ 1 failed");
    let folder = folder.file("cases/sub/b.yaml", guest_case("pass"));
    watching.tells("✗ 1 failed, 1 passed");
    let folder = folder.file("guest.wasm", guests::component(guests::TRAPS));
    watching.tells("✗ 2 failed");
    let folder = folder.file("guest.wasm", "text");
    watching.says("not a WebAssembly file");
    let folder = folder
        .file("guest.new", guests::component(guests::HONEST))
        .file("cases/a.yaml", guest_case("pass"));
    std::fs::rename(folder.path("guest.new"), folder.path("guest.wasm")).unwrap();
    watching.tells("✓ 2 passed");
    watching.ends_by(Signal::INT, 0);
    assert!(folder.path("cases/r.json").exists());
}

#[test]
fn a_signal_ends_it_with_the_code_of_the_last_run() {
    let folder = Folder::empty()
        .file("guest.wasm", guests::component(guests::HONEST))
        .file("cases/a.yaml", guest_case("fail"));
    let mut watching = Watching::start(&folder);
    watching.tells("✗ 1 failed");
    watching.says("waiting for a change");
    watching.ends_by(Signal::TERM, 1);
}
