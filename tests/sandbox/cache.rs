//! Compiled code on disk: used when it is whole, made again when it is not, never trusted.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lockgate::decision::Verdict;
use lockgate::policy::Limits;
use lockgate::wasm::{Cache, Sandbox};

use crate::support::{evaluate, load_file, verdict};

struct Bench {
    folder: tempfile::TempDir,
    component: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let component = folder.path().join("policy.wasm");
        fs::write(&component, lockgate_guests::component(lockgate_guests::HONEST)).unwrap();
        Self { folder, component }
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// Loads and runs the policy in a fresh sandbox; how often it compiled.
    fn compilations(&self) -> usize {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&count);
        let cache = Cache::open(&self.cache()).unwrap();
        let sandbox = Sandbox::new(Some(cache), move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        })
        .unwrap();
        let policy = load_file(&sandbox, &self.component).unwrap();
        let answer = evaluate(policy.as_ref(), &Limits::default());
        assert_eq!(verdict(answer.result), Verdict::Allow);
        count.load(Ordering::Relaxed)
    }

    fn files(&self, extension: &str) -> Vec<PathBuf> {
        let files = fs::read_dir(self.cache()).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|other| other == extension)).collect()
    }

    fn only(&self, extension: &str) -> PathBuf {
        let files = self.files(extension);
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }
}

fn overwrite(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_second_start_does_not_compile() {
    let bench = Bench::new();
    assert_eq!(bench.compilations(), 1);
    assert_eq!(bench.compilations(), 0);
}

#[test]
fn another_component_has_an_entry_of_its_own() {
    let bench = Bench::new();
    bench.compilations();
    let other = lockgate_guests::HONEST.replacen("(module", "(module (func)", 1);
    fs::write(&bench.component, lockgate_guests::component(&other)).unwrap();
    assert_eq!(bench.compilations(), 1);
    assert_eq!(bench.files("code").len(), 2);
}

#[test]
fn damaged_code_is_compiled_again() {
    for position in [0, 100, 5_000] {
        let bench = Bench::new();
        bench.compilations();
        overwrite(&bench.only("code"), |bytes| bytes[position] ^= 1);
        assert_eq!(bench.compilations(), 1, "a flipped bit at {position}");
        assert_eq!(bench.compilations(), 0, "the entry is mended");
    }
}

#[test]
fn code_cut_short_or_gone_is_compiled_again() {
    let bench = Bench::new();
    bench.compilations();
    overwrite(&bench.only("code"), |bytes| bytes.truncate(bytes.len() / 2));
    assert_eq!(bench.compilations(), 1);
    fs::remove_file(bench.only("code")).unwrap();
    assert_eq!(bench.compilations(), 1);
}

#[test]
fn a_foreign_entry_is_no_entry() {
    let bench = Bench::new();
    bench.compilations();
    for text in ["", "nonsense", "../../../etc/passwd", &"0".repeat(64), &"0".repeat(10_000)] {
        overwrite(&bench.only("entry"), |bytes| *bytes = text.as_bytes().to_vec());
        assert_eq!(bench.compilations(), 1, "{text:.20}");
    }
}

#[test]
fn a_whole_file_that_is_no_code_of_this_engine_is_compiled_again() {
    let bench = Bench::new();
    bench.compilations();
    // An entry that adds up, of something that the engine never made.
    let foreign = b"\x7fELF and then something else".to_vec();
    let hash = blake3::hash(&foreign).to_hex();
    fs::write(bench.cache().join(format!("{hash}.code")), foreign).unwrap();
    overwrite(&bench.only("entry"), |bytes| *bytes = hash.as_bytes().to_vec());
    assert_eq!(bench.compilations(), 1);
}

#[test]
fn rejects_a_directory_that_others_can_write() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let message = Cache::open(folder.path()).map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("chmod 700"), "{message}");
}

#[test]
fn a_new_directory_is_for_its_owner_only() {
    let bench = Bench::new();
    bench.compilations();
    let mode = fs::metadata(bench.cache()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_cache_that_cannot_be_written_costs_time_and_nothing_else() {
    let bench = Bench::new();
    bench.compilations();
    // Nothing can be renamed over a folder, not even by root.
    let code = bench.only("code");
    fs::remove_file(&code).unwrap();
    fs::create_dir(&code).unwrap();
    assert_eq!(bench.compilations(), 1);
    assert_eq!(bench.compilations(), 1);
}
