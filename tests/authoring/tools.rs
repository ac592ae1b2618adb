//! The tools of a language, which the set-up has installed once for all tests.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::Folder;

/// Where the set-up has installed the tools of a language.
pub(crate) fn installed(language: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/authoring").join(language);
    assert!(folder.join("installed").is_file(), "run `scripts/setup.sh test` first");
    folder
}

/// Gives a project in JavaScript its `node_modules`, as `npm install` would from its lock file.
/// The SDK is the project's own.
pub(crate) fn give_node_modules(folder: &Folder, project: &str) {
    let modules = folder.path(format!("{project}/node_modules"));
    std::fs::create_dir(&modules).unwrap();
    for entry in std::fs::read_dir(installed("js").join("node_modules")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "lockgate-sdk" {
            symlink(entry.path(), modules.join(entry.file_name())).unwrap();
        }
    }
    symlink("../vendor/lockgate-sdk", modules.join("lockgate-sdk")).unwrap();
}

/// Gives a project in Python its `.venv`, as pip would fill it.
pub(crate) fn give_venv(folder: &Folder, project: &str) {
    symlink(installed("python"), folder.path(format!("{project}/.venv"))).unwrap();
}

/// Copies a folder of the repository, for tools that would leave something behind in it.
pub(crate) fn copy(from: &str, to: &Path) {
    copy_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join(from), to);
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A gate whose policies are a standard one and the project's, and evidence with one slice below
/// the floor.
pub(crate) fn write_gate(folder: &Folder, project: &str) {
    folder.write(
        "lockgate.yaml",
        format!(
            "version: 1
gates:
  - name: production
    models: [\"*\"]
    targets: [stage:Production]
    policies:
      - use: std/metric-threshold
        params: {{metrics: [{{name: auc, min: 0.9}}]}}
      - id: floor
        use: ./{project}/{project}.wasm
        params: {{metric: recall, min: 0.8}}
"
        ),
    );
    folder.write(
        "evidence/metrics.json",
        r#"{"lockgate": "evidence/v1", "collected_at": "2026-11-23T09:00:00Z", "metrics": [
            {"name": "auc", "value": 0.93},
            {"name": "recall", "value": 0.91, "slice": "region=eu", "sample_size": 120},
            {"name": "recall", "value": 0.74, "slice": "region=us", "sample_size": 80}
        ]}"#,
    );
}

/// Asks that gate.
pub(crate) const CHECK: &str =
    "check fraud-detector/3 --to stage:Production --evidence evidence --at 2026-11-23T12:00:00Z";
