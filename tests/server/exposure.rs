//! What the server refuses to be started with.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use super::served::{Folder, GATE};
use super::tls::write_certificates;

/// Starts a server that is to refuse, and stops one that does not.
fn start(folder: &Folder, arguments: &str) -> (Option<i32>, String) {
    let listen = if arguments.contains("--listen") { "" } else { "--listen 127.0.0.1:0" };
    started(folder.command(&format!("serve {listen} {arguments}")))
}

fn started(mut command: std::process::Command) -> (Option<i32>, String) {
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
    if said.contains("listens") {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    (output.status.code(), said + &String::from_utf8(output.stderr).unwrap())
}

#[test]
fn is_reachable_from_elsewhere_only_with_credentials_and_tls() {
    let folder = Folder::new(GATE);
    folder.token("ci", &["ask"]);
    write_certificates(&folder, "server");
    let tls = "--tls-cert server.crt --tls-key server.key";
    for (arguments, missing) in [
        (String::new(), "--tokens, --tls-cert and --tls-key are"),
        ("--tokens tokens".to_owned(), "--tls-cert and --tls-key are"),
        (tls.to_owned(), "--tokens is"),
    ] {
        for address in ["0.0.0.0:0", "[::]:0"] {
            let (code, said) = start(&folder, &format!("--listen {address} {arguments}"));
            assert_eq!(code, Some(2), "{said}");
            assert!(said.contains(missing) && said.contains("--insecure-listen"), "{said}");
        }
    }
}

#[test]
fn what_cannot_be_used_is_told_at_the_start() {
    let folder = Folder::new(GATE);
    write_certificates(&folder, "server");
    write_certificates(&folder, "other");
    folder.write("bad-tokens", "ci root token x\n");
    for (arguments, words) in [
        ("--config nowhere.yaml", "there is no gate file `nowhere.yaml`"),
        ("--tokens nowhere", "`nowhere` cannot be read"),
        ("--tokens bad-tokens", "bad-tokens:1: `root` is not a role"),
        ("--tls-cert server.crt", "--tls-key"),
        ("--tls-cert server.crt --tls-key other.key", "belong together"),
        ("--tls-cert nowhere --tls-key server.key", "`nowhere` cannot be used as a certificate"),
        ("--tls-cert server.key --tls-key server.key", "cannot be used as a certificate"),
        ("--client-ca server.crt", "--t"),
        ("--listen 127.0.0.1", "127.0.0.1"),
        ("--log lockgate=loud", "loud"),
        ("--record mysql://x", "record"),
        ("--kubernetes-environment x", "NAMESPACE=ENVIRONMENT"),
        ("--storage-uri s3://x", "{model}"),
    ] {
        let (code, said) = start(&folder, arguments);
        assert_eq!(code, Some(2), "{arguments}: {said}");
        assert!(said.contains(words), "{arguments}: {said}");
    }
}

#[test]
fn gates_that_cannot_be_used_at_the_start_end_it() {
    let broken = Folder::new("version: 1\ngates: []\nnonsense: 1\n");
    let params = Folder::new(&GATE.replace("auc, min", "auc, minimum"));
    let policy = Folder::new(&GATE.replace("std/metric-threshold", "./nowhere.wasm"));
    for (folder, words) in [(broken, "nonsense"), (params, "minimum"), (policy, "nowhere.wasm")] {
        let output = folder.command("serve --listen 127.0.0.1:0").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{said}");
    }
}

/// What is told at the start is kept in the journals of services.
#[test]
fn a_password_is_not_told() {
    let folder = Folder::new(GATE);
    let with = |name: &str, value: &str| {
        let mut command = folder.command("serve --listen 127.0.0.1:0");
        command.env(name, value);
        started(command)
    };
    let argument = |arguments: &str| start(&folder, arguments);
    for (code, said) in [
        argument("--mlflow http://ada:sekret@mlflow.example/"),
        with("LOCKGATE_MLFLOW", "http://ada:sekret@mlflow.example/"),
        argument("--record postgres//ada:sekret@db/gates"),
        with("LOCKGATE_RECORD", "postgres//ada:sekret@db/gates"),
        argument("--record postgres:ada:sekret@db/gates"),
        argument("--record postgresql:/ada:sekret@db/gates"),
    ] {
        assert_eq!(code, Some(2), "{said}");
        assert!(!said.contains("sekret"), "{said}");
        assert!(said.contains("http://HOST:PORT") || said.contains("postgres://USER@"), "{said}");
    }
}
