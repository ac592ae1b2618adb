//! Files and bytes made to harm.

use std::fs;
use std::os::unix::fs::symlink;

use lockgate::evidence::{Format, limits};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const VALID: &str = r#"{"lockgate": "evidence/v1", "metrics": [{"name": "a", "value": 1}]}"#;

/// What is wrong with a directory.
fn errors_of(dir: &TempDir) -> Vec<(String, String)> {
    let mut collector = collector();
    collector.add_path(dir.path(), Side::Candidate);
    let errors = collector.freeze().unwrap_err();
    errors.into_iter().map(|error| (error.source_name, error.problem)).collect()
}

/// The only thing wrong with a directory.
fn error_of(dir: &TempDir) -> (String, String) {
    let mut errors = errors_of(dir);
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.remove(0)
}

#[test]
fn rejects_a_link_out_of_the_directory() {
    let (dir, outside) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    fs::write(outside.path().join("e.json"), VALID).unwrap();
    symlink(outside.path().join("e.json"), dir.path().join("absolute.json")).unwrap();
    let above = Path::new("..").join(outside.path().file_name().unwrap()).join("e.json");
    assert!(dir.path().join(&above).exists());
    symlink(above, dir.path().join("relative.json")).unwrap();
    let names: Vec<_> = errors_of(&dir).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["absolute.json", "relative.json"]);
}

#[test]
fn rejects_a_named_file_that_is_a_link_out_of_its_directory() {
    let (dir, outside) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    fs::write(outside.path().join("e.json"), VALID).unwrap();
    symlink(outside.path().join("e.json"), dir.path().join("e.json")).unwrap();
    let mut collector = collector();
    collector.add_path(&dir.path().join("e.json"), Side::Candidate);
    assert!(collector.freeze().is_err());
}

#[test]
fn accepts_a_link_to_a_file_of_the_directory() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("e.json"), VALID).unwrap();
    symlink("e.json", dir.path().join("latest.json")).unwrap();
    let mut collector = Collector::new(about(), vec![assign("e.json", Assigned::Ignore)]);
    collector.add_path(dir.path(), Side::Candidate);
    assert_eq!(&*collector.freeze().unwrap().snapshot.sources[0].name, "latest.json");
}

#[test]
fn rejects_links_to_directories_which_can_form_circles() {
    let dir = TempDir::new().unwrap();
    symlink(".", dir.path().join("again")).unwrap();
    let (name, problem) = error_of(&dir);
    assert_eq!(name, "again");
    assert!(problem.contains("link to a directory"), "{problem}");
}

#[test]
fn rejects_a_pipe_without_opening_it() {
    let dir = TempDir::new().unwrap();
    let pipe = dir.path().join("pipe.json");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    assert!(error_of(&dir).1.contains("no regular file"));
    let mut collector = collector();
    collector.add_path(&pipe, Side::Candidate);
    assert!(collector.freeze().unwrap_err()[0].problem.contains("no regular file"));
}

#[test]
fn rejects_a_device_and_a_path_that_is_not_there() {
    for path in ["/dev/zero", "/nonexistent/evidence", "", ".."] {
        let mut collector = collector();
        collector.add_path(&Path::new(path).join("zero.json"), Side::Candidate);
        collector.add_path(Path::new("/dev/zero"), Side::Candidate);
        assert!(collector.freeze().is_err(), "{path}");
    }
}

#[test]
fn rejects_a_file_that_is_too_large_without_reading_it() {
    let dir = TempDir::new().unwrap();
    let file = fs::File::create(dir.path().join("big.json")).unwrap();
    file.set_len(limits::MAX_FILE_BYTES + 1).unwrap();
    assert!(error_of(&dir).1.contains("larger than"));
}

#[test]
fn rejects_directories_that_are_too_deep_or_too_full() {
    let deep = TempDir::new().unwrap();
    let path = ["d"; limits::MAX_DIRECTORY_DEPTH + 1].iter().collect::<PathBuf>();
    fs::create_dir_all(deep.path().join(path)).unwrap();
    assert!(error_of(&deep).1.contains("deeper than"));
    let full = TempDir::new().unwrap();
    for index in 0..=limits::MAX_ENTRIES {
        fs::create_dir(full.path().join(index.to_string())).unwrap();
    }
    assert!(error_of(&full).1.contains("more than 1000 files and"));
}

#[test]
fn rejects_a_directory_without_evidence() {
    let dir = TempDir::new().unwrap();
    assert!(error_of(&dir).1.contains("without evidence"));
}

#[test]
fn rejects_what_is_no_evidence_unless_the_gate_file_ignores_it() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("e.json"), VALID).unwrap();
    fs::write(dir.path().join("README.md"), "# Evidence").unwrap();
    fs::write(dir.path().join(".hidden"), "x").unwrap();
    fs::create_dir(dir.path().join("raw")).unwrap();
    fs::write(dir.path().join("raw/table.csv"), "a,b").unwrap();
    let names: Vec<_> = errors_of(&dir).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [".hidden", "README.md", "raw/table.csv"]);
    let ignored = ["*.md", ".*", "raw"].map(|glob| assign(glob, Assigned::Ignore));
    let mut collector = Collector::new(about(), ignored.to_vec());
    collector.add_path(dir.path(), Side::Candidate);
    assert_eq!(collector.freeze().unwrap().snapshot.sources.len(), 1);
}

#[test]
fn rejects_names_that_would_not_fit_on_a_line() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("a\nb.json"), VALID).unwrap();
    assert_eq!(error_of(&dir).0, "a b.json");
    let mut collector = collector();
    collector.add_bytes("a\u{1b}[2J", VALID.as_bytes(), Side::Candidate);
    assert!(collector.freeze().is_err());
}

#[test]
fn rejects_more_items_than_a_snapshot_takes() {
    let metric = r#"{"name": "a", "value": 1}"#;
    let many = vec![metric; limits::MAX_ITEMS + 1].join(",");
    let error = error_in(&format!(r#"{{"lockgate": "evidence/v1", "metrics": [{many}]}}"#));
    assert!(error.problem.contains("more than 100000"), "{error}");
}

#[test]
fn rejects_garbage_with_one_line_that_names_it() {
    for bytes in [
        &b""[..],
        b"\0\0\0",
        b"\xff\xfe{\0}\0",
        b"PK\x03\x04",
        b"{\"lockgate\": \"evidence/v1\", \"metrics\": [], \"metrics\": []}",
        b"{\"lockgate\": \"evidence/v1\", \"\\u001b[31m\\n\": 1}",
        b"{\"SchemaVersion\": 2, \"run\": {}}",
        b"{\"error_code\": \"RESOURCE_DOES_NOT_EXIST\"}",
        b"[9007199254740993]",
    ] {
        let mut collector = collector();
        collector.add_bytes("x.json", bytes, Side::Candidate);
        let message = collector.freeze().unwrap_err()[0].to_string();
        assert!(message.starts_with("evidence `x.json`: "), "{message}");
        assert!(!message.chars().any(char::is_control), "{message:?}");
    }
}

/// Whatever comes out, it came without a panic and every number in it is finite.
fn survives(bytes: &[u8], format: Option<Format>) {
    let assignments = format.map(|format| assign("x", Assigned::Format(format)));
    for side in [Side::Candidate, Side::Baseline] {
        let mut collector = Collector::new(about(), assignments.iter().cloned().collect());
        collector.add_bytes("x", bytes, side);
        match collector.freeze() {
            Ok(frozen) => assert!(frozen.snapshot.candidate.iter().all(|m| m.value.is_finite())),
            Err(errors) => assert!(!errors.is_empty()),
        }
    }
}

fn any_format() -> impl Strategy<Value = Option<Format>> {
    proptest::option::of(proptest::sample::select(Format::ALL.to_vec()))
}

/// A sample with one of its values replaced by another of any kind.
fn damaged_sample() -> impl Strategy<Value = String> {
    const SAMPLES: [&str; 11] = [
        "lockgate/complete.json",
        "mlflow/run.json",
        "mlflow/logged-model.json",
        "mlflow/model-version.json",
        "mlflow/registered-model.json",
        "lm-eval/results_localqa_dummy.json",
        "trivy/vex.json",
        "grype/grype-image.json",
        "sarif/modelaudit-malicious.sarif",
        "modelscan/modelscan-malicious.json",
        "opencost/allocation-gpu.json",
    ];
    let other = proptest::sample::select(vec![
        "null",
        "true",
        "-1",
        "1e308",
        "0.5",
        "\"\"",
        "\"NaN\"",
        "[]",
        "{}",
        "[null]",
        "[{}]",
        "[[]]",
        "9007199254740992",
        "\"sha256:00\"",
        "{\"\": {}}",
    ]);
    (proptest::sample::select(SAMPLES.to_vec()), any::<prop::sample::Index>(), other).prop_map(
        |(path, index, other)| {
            let mut value: serde_json::Value = serde_json::from_slice(&sample_bytes(path)).unwrap();
            let mut pointers = Vec::new();
            collect_pointers(&value, String::new(), &mut pointers);
            let pointer = index.get(&pointers);
            *value.pointer_mut(pointer).unwrap() = serde_json::from_str(other).unwrap();
            value.to_string()
        },
    )
}

fn collect_pointers(value: &serde_json::Value, at: String, pointers: &mut Vec<String>) {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        serde_json::Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_pointers(item, format!("{at}/{index}"), pointers);
            }
        }
        serde_json::Value::Object(object) => {
            for (key, item) in object {
                collect_pointers(item, format!("{at}/{}", escaped(key)), pointers);
            }
        }
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {}
    }
    pointers.push(at);
}

proptest! {
    #[test]
    fn any_bytes_give_an_answer_or_an_error(
        bytes in proptest::collection::vec(any::<u8>(), 0..512),
        format in any_format(),
    ) {
        survives(&bytes, format);
    }

    #[test]
    fn any_text_that_resembles_json_gives_an_answer_or_an_error(
        text in r#"([\[\]{}:, ]|"[a-z\\"]{0,3}"?|-?[0-9]{1,20}|[.eE+-]|NaN|-?Infinity|null|true){0,60}"#,
        format in any_format(),
    ) {
        survives(text.as_bytes(), format);
    }

    #[test]
    fn any_damage_to_a_sample_gives_an_answer_or_an_error(text in damaged_sample()) {
        survives(text.as_bytes(), None);
    }

    #[test]
    fn the_order_of_sources_never_changes_the_digest(
        order in Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let digest = |order: &[usize]| {
            let mut collector = collector();
            for index in order {
                let (value, slice) = (index % 3, index % 2);
                let json = format!(
                    r#"{{"lockgate": "evidence/v1", "model": {{"tags": {{"t": "{index}"}}}},
                    "metrics": [{{"name": "a", "value": {value}, "slice": "{slice}"}},
                    {{"name": "b", "value": 1}}]}}"#
                );
                collector.add_bytes(&format!("{index}.json"), json.as_bytes(), Side::Candidate);
            }
            collector.freeze().unwrap().digest
        };
        prop_assert_eq!(digest(&order), digest(&[0, 1, 2, 3, 4, 5, 6, 7]));
    }
}
