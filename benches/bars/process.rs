//! Whole processes: `lockgate check` against the program `bare-wasmtime`, from the start of the
//! process to its end.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use lockgate::wasm::standard_component;
use tempfile::TempDir;

use crate::{document, evidence, memory, policies, sampling, table};

const SAMPLES: usize = 100;
const FINDINGS: u32 = 200;
const MIB: u64 = 1 << 20;

const LOCKGATE: &str = env!("CARGO_BIN_EXE_lockgate");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// File name of the JavaScript policy, beside the gate file.
const JAVASCRIPT: &str = "javascript.wasm";

pub(crate) fn run() -> Result<()> {
    let place = Place::new()?;
    let standard = policies::standard();
    let mut gates = vec![("eight standard policies", place.gate("standard", &standard, None)?)];
    let component = Path::new(ROOT).join("target/bench/javascript.wasm");
    if component.is_file() {
        let gate = place.gate("javascript", &standard, Some(&component))?;
        gates.push(("these and one in JavaScript", gate));
    } else {
        table::note("no policy in JavaScript: run `benches/setup.sh`, which needs npm");
    }
    times(&gates)?;
    first_starts(&place, &gates)?;
    peak_memory(&place, &gates)
}

fn times(gates: &[(&str, Gate)]) -> Result<()> {
    table::heading(
        "`lockgate check`, cache warm; a bare program that maps the same components and calls each",
        "lockgate",
        "bare",
    );
    for (what, gate) in gates {
        gate.warm()?;
        let (ours, bare) =
            sampling::in_turn(SAMPLES, || finish(&mut gate.check()), || finish(&mut gate.bare()))?;
        table::compare(what, &ours, &bare, Some(2.0));
    }
    Ok(())
}

/// For information: a first start compiles, and says so.
fn first_starts(place: &Place, gates: &[(&str, Gate)]) -> Result<()> {
    table::title("First start, cache empty");
    for (what, gate) in gates {
        let cache = place.0.path().join("empty");
        let start = Instant::now();
        finish(gate.check().env("LOCKGATE_CACHE_DIR", &cache))?;
        table::single(what, start.elapsed(), None);
        fs::remove_dir_all(cache)?;
    }
    Ok(())
}

fn peak_memory(place: &Place, gates: &[(&str, Gate)]) -> Result<()> {
    table::title("Peak memory of `lockgate check`, cache warm");
    finish(&mut place.example())?;
    let example = memory::peak(&place.example())?;
    table::memory("examples/fraud-detector", example, Some(64 * MIB));
    for (what, gate) in gates {
        table::memory(what, memory::peak(&gate.check())?, None);
    }
    Ok(())
}

/// A directory with everything that the two programs read.
struct Place(TempDir);

/// A gate, as each of the two programs is told of it.
struct Gate {
    directory: PathBuf,
    lockgate: PathBuf,
    program: PathBuf,
    calls: Vec<OsString>,
}

impl Place {
    fn new() -> Result<Self> {
        let place = Self(TempDir::new()?);
        install(Path::new(LOCKGATE), &place.lockgate())?;
        install(&bare_program()?, &place.bare())?;
        let facts = evidence::facts(FINDINGS);
        let path = place.0.path();
        fs::write(path.join("evidence.json"), document::candidate(&facts).to_string())?;
        fs::write(path.join("baseline.json"), document::baseline(&facts).to_string())?;
        Ok(place)
    }

    fn lockgate(&self) -> PathBuf {
        self.0.path().join("bin/lockgate")
    }

    fn bare(&self) -> PathBuf {
        self.0.path().join("bin/bare-wasmtime")
    }

    /// A gate that calls standard policies and the one in JavaScript, if it is there; each is
    /// compiled for the bare program too.
    fn gate(
        &self,
        name: &str,
        standard: &[(&'static str, String)],
        javascript: Option<&Path>,
    ) -> Result<Gate> {
        let directory = self.0.path().join(name);
        fs::create_dir(&directory)?;
        let mut bare = Bare { directory: &directory, program: self.bare(), calls: Vec::new() };
        for (policy, params) in standard {
            let file = directory.join(policy).with_extension("wasm");
            fs::write(&file, standard_component(policy).context(*policy)?)?;
            bare.add(&file, params)?;
        }
        let mut components = Vec::new();
        if let Some(component) = javascript {
            fs::copy(component, directory.join(JAVASCRIPT))?;
            let params = r#"{"metrics": [{"name": "val_auc", "min": 0.9}]}"#.to_owned();
            bare.add(component, &params)?;
            components.push((JAVASCRIPT, params));
        }
        let Bare { program, calls, .. } = bare;
        fs::write(directory.join("lockgate.yaml"), policies::gate_file(standard, &components))?;
        Ok(Gate { directory, lockgate: self.lockgate(), program, calls })
    }

    /// The example of the repository, as `make demo` runs it.
    fn example(&self) -> Command {
        let mut command = Command::new(self.lockgate());
        command
            .current_dir(Path::new(ROOT).join("examples/fraud-detector"))
            .env("LOCKGATE_CACHE_DIR", self.0.path().join("cache"))
            .args(["check", "fraud-detector/1", "--to", "stage:Production"])
            .args(["--evidence", "version-1", "--baseline", "champion"])
            .args(["--requested-by", "alex", "--at", "2026-11-23T12:00:00Z"]);
        command
    }
}

impl Gate {
    fn check(&self) -> Command {
        let mut command = Command::new(&self.lockgate);
        command
            .current_dir(&self.directory)
            .env("LOCKGATE_CACHE_DIR", self.directory.join("cache"))
            .args(["check", "fraud-detector/3", "--to", "stage:Production"])
            .args(["--evidence", "../evidence.json", "--baseline", "../baseline.json"])
            .args(["--requested-by", "alex", "--at", "2026-11-23T12:00:00Z"]);
        command
    }

    /// Fills the cache. A start takes a file as unchanged once it has not changed for two seconds,
    /// and notes that at the start after.
    fn warm(&self) -> Result<()> {
        finish(&mut self.check())?;
        std::thread::sleep(Duration::from_secs(4));
        finish(&mut self.check())
    }

    fn bare(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("run").args(&self.calls);
        command
    }
}

/// The calls of the bare program, while they are gathered.
struct Bare<'a> {
    directory: &'a Path,
    program: PathBuf,
    calls: Vec<OsString>,
}

impl Bare<'_> {
    fn add(&mut self, component: &Path, params: &str) -> Result<()> {
        let name = component.file_stem().context("a file name")?;
        let code = self.directory.join(name).with_extension("code");
        finish(Command::new(&self.program).arg("compile").arg(component).arg(&code))?;
        self.calls.extend([code.into(), params.into()]);
        Ok(())
    }
}

/// Copies a program, as installing it does. A file as the linker leaves it, written here and there,
/// is mapped in smaller pieces, which takes a large program a tenth longer to start.
fn install(program: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.parent().context("a directory")?)?;
    fs::copy(program, to).map(drop).with_context(|| program.display().to_string())
}

/// Runs a command to an end that is neither a mistake in its use nor undecided.
fn finish(command: &mut Command) -> Result<()> {
    let status =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    match status.code() {
        // The findings deny, which is as much work as to allow.
        Some(0 | 1) => Ok(()),
        _ => bail!("`{command:?}` ended with {status}"),
    }
}

/// The example program, which cargo puts beside the binary.
fn bare_program() -> Result<PathBuf> {
    let program = Path::new(LOCKGATE).with_file_name("examples").join("bare-wasmtime");
    if !program.is_file() {
        bail!("`{}` is not built; run `benches/setup.sh`", program.display());
    }
    Ok(program)
}
