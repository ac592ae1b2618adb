//! Compiled code on disk: used when it is whole, made again when it is not, never trusted.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    let entry = bench.only("entry");
    let name = entry.file_name().unwrap().to_str().unwrap();
    let json = format!(r#"{{"code":"{hash}","stamp":null,"description":null}}"#);
    let sum = blake3::hash(format!("{name}\n{json}").as_bytes()).to_hex();
    overwrite(&entry, |bytes| *bytes = format!("{sum}\n{json}").into_bytes());
    assert_eq!(bench.compilations(), 1);
}

#[test]
fn an_entry_under_another_name_is_no_entry() {
    let bench = Bench::new();
    bench.compilations();
    let honest = bench.only("entry");
    let other = lockgate_guests::HONEST.replacen("(module", "(module (func)", 1);
    fs::write(&bench.component, lockgate_guests::component(&other)).unwrap();
    bench.compilations();
    let mut entries = bench.files("entry");
    entries.retain(|entry| *entry != honest);
    fs::remove_file(&entries[0]).unwrap();
    fs::copy(&honest, &entries[0]).unwrap();
    assert_eq!(bench.compilations(), 1, "the code of another component was trusted");
}

/// Waits until the kernel's clock is past the time in which one more change might not show.
fn settle(paths: &[PathBuf]) {
    let settled = |path: &PathBuf| {
        let changed = fs::metadata(path).unwrap().ctime();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        changed + 2 < now.try_into().unwrap()
    };
    while !paths.iter().all(settled) {
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Bytes that this process has read from files.
fn bytes_read() -> u64 {
    let io = fs::read_to_string("/proc/self/io").unwrap();
    io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().parse().unwrap()
}

/// Changes a file in place and gives it back the times that anybody can give.
fn forge(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let metadata = fs::metadata(path).unwrap();
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    assert_eq!(u64::try_from(bytes.len()).unwrap(), metadata.len());
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, metadata.permissions()).unwrap();
    fs::File::open(path).unwrap().set_modified(metadata.modified().unwrap()).unwrap();
}

#[test]
fn what_was_hashed_is_not_read_again_until_it_changes() {
    let bench = Bench::new();
    // Large enough to be told from everything else that is read.
    let mut component = lockgate_guests::component(lockgate_guests::HONEST);
    let size = 4 << 20;
    // A custom section: its number, its size in five bytes, the size of its name, no name.
    component.extend([0, 0x81, 0x80, 0x80, 0x82, 0x00, 0]);
    component.extend(vec![0; size]);
    fs::write(&bench.component, &component).unwrap();
    assert_eq!(bench.compilations(), 1);
    settle(&[bench.component.clone(), bench.only("code")]);
    assert_eq!(bench.compilations(), 0, "hashed and noted");

    let before = bytes_read();
    assert_eq!(bench.compilations(), 0);
    let read = bytes_read() - before;
    assert!(read < 1 << 20, "{read} bytes");

    forge(&bench.component, |bytes| *bytes.last_mut().unwrap() = 1);
    assert_eq!(bench.compilations(), 1, "another component of the same size and times");
    let code = bench.files("code");
    settle(&code);
    assert_eq!(bench.compilations(), 0, "hashed and noted");
    for code in &code {
        forge(code, |bytes| bytes[5_000] ^= 1);
    }
    assert_eq!(bench.compilations(), 1, "other code of the same size and times");
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
