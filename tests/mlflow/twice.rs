//! No second reading: what is accepted means the same to MLflow's own parser, which is asked.

use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lockgate::registry::mlflow::{Operation, Stage, read};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value};

use super::server::python;

/// What a client, or somebody worse, may write for one key.
fn member() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        4 => proptest::sample::select(vec![
            "name", "version", "alias", "stage", "key", "value", "source", "run_id", "model_id",
            "new_name", "description", "tags", "run_link", "archive_existing_versions",
        ]),
        1 => proptest::sample::select(vec![
            "runId", "newName", "archiveExistingVersions", "Name", "nam\\u0065", "deployment_job_id",
            "x", "", "modelId", "name ", "v\\u0065rsion",
        ]),
    ];
    let value = prop_oneof![
        4 => proptest::sample::select(vec![
            "\"fraud\"", "\"1\"", "\"2\"", "\"champion\"", "\"Production\"", "\"models:/m/1\"", "true",
            "[{\"key\": \"a\", \"value\": \"b\"}]", "\"runs:/r/model\"", "\"\"",
        ]),
        1 => proptest::sample::select(vec![
            "null", "1", "1.0", "\"01\"", "\" 1\"", "\"pRODUCTION\"", "\"a\\u0000\"", "NaN", "[]", "{}",
            "\"true\"", "1e2", "\"\\ud800\"", "\"\u{661}\"", "[{\"key\": \"a\"}, {\"key\": \"a\"}]",
            "[{\"key\": \"a\", \"Value\": 1}]", "[null]", "\"caf\u{e9}\"", "9007199254740993",
            "\"models:/m/Production\"", "\"fraud \"", "-0", "\"\\/\"",
        ]),
    ];
    (key, value).prop_map(|(key, value)| format!("\"{key}\": {value}"))
}

fn required(operation: Operation) -> &'static str {
    match operation {
        Operation::CreateModel | Operation::UpdateModel | Operation::DeleteModel => {
            r#""name": "m""#
        }
        Operation::RenameModel => r#""name": "m", "new_name": "n""#,
        Operation::SetModelTag | Operation::DeleteModelTag => r#""name": "m", "key": "k""#,
        Operation::SetAlias => r#""name": "m", "alias": "a", "version": "1""#,
        Operation::DeleteAlias => r#""name": "m", "alias": "a""#,
        Operation::CreateVersion => r#""name": "m", "source": "s3://b/x""#,
        Operation::UpdateVersion | Operation::DeleteVersion => r#""name": "m", "version": "1""#,
        Operation::TransitionStage => r#""name": "m", "version": "1", "stage": "Staging""#,
        Operation::SetVersionTag | Operation::DeleteVersionTag => {
            r#""name": "m", "version": "1", "key": "k""#
        }
    }
}

/// Bodies from what is needed, less some of it, and more.
fn body(operation: Operation) -> impl Strategy<Value = Vec<u8>> {
    let needed: Vec<String> = required(operation).split(", ").map(str::to_owned).collect();
    let members = (
        proptest::sample::subsequence(needed.clone(), 0..=needed.len()),
        proptest::collection::vec(member(), 0..4),
        proptest::bool::weighted(0.7),
    );
    let members = members.prop_map(move |(some, more, whole)| {
        let mut members = if whole { needed.clone() } else { some };
        members.extend(more);
        members
    });
    let wrapping = prop_oneof![
        20 => Just(0), 1 => Just(1), 1 => Just(2), 1 => Just(3), 1 => Just(4), 1 => Just(5),
    ];
    (members.prop_shuffle(), wrapping).prop_map(|(members, wrapping)| {
        let text = format!("{{{}}}", members.join(", "));
        match wrapping {
            1 => serde_json::to_vec(&text).unwrap(),
            2 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            3 => format!("\u{feff}{text}").into_bytes(),
            4 => format!("[{text}]").into_bytes(),
            5 => format!("{text} // ").into_bytes(),
            _ => text.into_bytes(),
        }
    })
}

/// What MLflow acts on, or none where it would refuse.
fn as_mlflow_reads(bodies: &[(Operation, Vec<u8>)]) -> Vec<Option<Map<String, Value>>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mlflow/oracle.py");
    let mut oracle = Command::new(python())
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = oracle.stdin.take().unwrap();
    let lines: String = bodies
        .iter()
        .map(|(operation, body)| {
            let (method, route) = operation.route();
            format!("{route} {method} {}\n", STANDARD.encode(body))
        })
        .collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = oracle.wait_with_output().unwrap();
    writer.join().unwrap();
    let read: Vec<_> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(read.len(), bodies.len(), "the oracle gave up");
    read
}

/// Stages in one case, and no empty lists, which are the same to MLflow as none.
fn normalised(mut fields: Map<String, Value>) -> Map<String, Value> {
    fields.retain(|_, value| *value != Value::Array(Vec::new()));
    if let Some(Value::String(stage)) = fields.get_mut("stage")
        && let Some(known) = Stage::parse(stage)
    {
        *stage = known.as_str().to_owned();
    }
    fields
}

#[test]
fn what_is_accepted_and_what_is_sent_on_mean_the_same_to_mlflow() {
    let mut runner = TestRunner::deterministic();
    let mut accepted = Vec::new();
    let mut refused = 0;
    for operation in Operation::ALL {
        let strategy = body(operation);
        for _ in 0..1500 {
            let body = strategy.new_tree(&mut runner).unwrap().current();
            match read(operation, &body) {
                Ok(mutation) => accepted.push((operation, body, mutation.body)),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(accepted.len() > 1000 && refused > 1000, "{} {refused}", accepted.len());
    let came: Vec<_> = accepted.iter().map(|(of, body, _)| (*of, body.clone())).collect();
    let sent: Vec<_> = accepted.iter().map(|(of, _, body)| (*of, body.clone())).collect();
    let (came, sent) = (as_mlflow_reads(&came), as_mlflow_reads(&sent));
    for (((operation, body, canonical), came), sent) in accepted.iter().zip(came).zip(sent) {
        let shown = String::from_utf8_lossy(body);
        let own: Map<String, Value> = serde_json::from_slice(canonical).unwrap();
        let came = came.unwrap_or_else(|| panic!("{operation:?}: MLflow refuses {shown}"));
        let sent = sent
            .unwrap_or_else(|| panic!("{operation:?}: MLflow refuses what is sent on for {shown}"));
        assert_eq!(normalised(came), normalised(own.clone()), "{operation:?}: {shown}");
        assert_eq!(normalised(sent), normalised(own), "{operation:?}: {shown}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), index in 0..14_usize) {
        let _ = read(Operation::ALL[index], &bytes);
    }

    #[test]
    fn what_is_sent_on_reads_as_itself(index in 0..14_usize, seed in any::<[u8; 32]>()) {
        let operation = Operation::ALL[index];
        let rng = proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &seed);
        let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
        let body = body(operation).new_tree(&mut runner).unwrap().current();
        if let Ok(mutation) = read(operation, &body) {
            let again = read(operation, &mutation.body).unwrap();
            prop_assert_eq!(again, mutation);
        }
    }
}
