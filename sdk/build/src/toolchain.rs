use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{BuildError, TARGET};

/// A Rust toolchain that can build for WebAssembly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    pub(crate) cargo: PathBuf,
    pub(crate) rustc: PathBuf,
    pub(crate) sysroot: PathBuf,
    /// Linker to name to rustc; none when the toolchain brings its own.
    pub(crate) linker: Option<PathBuf>,
    version: String,
    standard_library: StandardLibrary,
}

/// Where the standard library for WebAssembly comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandardLibrary {
    /// It is installed.
    Installed,
    /// It is built from the sources that the toolchain brings.
    FromSource,
}

impl Toolchain {
    /// Finds a toolchain for what is in the current directory; see [`Toolchain::find_for`].
    ///
    /// # Errors
    ///
    /// As [`Toolchain::find_for`].
    pub fn find() -> Result<Self, BuildError> {
        Self::find_for(Path::new("."))
    }

    /// Finds a toolchain for what is in a folder, whose `rust-toolchain.toml` says which one rustup
    /// gives: the first that has the WebAssembly target installed, else the first
    /// that brings the sources of the standard library. `RUSTC` comes before `PATH`.
    ///
    /// # Errors
    ///
    /// [`BuildError::NoToolchain`], which says what each toolchain lacks and what to install.
    pub fn find_for(folder: &Path) -> Result<Self, BuildError> {
        let toolchains = installed(folder);
        let usable = [StandardLibrary::Installed, StandardLibrary::FromSource]
            .into_iter()
            .flat_map(|library| toolchains.iter().map(move |found| (found, library)))
            .find_map(|(found, library)| found.with(library, &toolchains).ok());
        usable.ok_or_else(|| BuildError::NoToolchain { tried: shortcomings(&toolchains) })
    }

    #[cfg(test)]
    pub(crate) fn of(cargo: &str, rustc: &str) -> Self {
        Self {
            cargo: cargo.into(),
            rustc: rustc.into(),
            sysroot: "/".into(),
            linker: None,
            version: String::new(),
            standard_library: StandardLibrary::Installed,
        }
    }

    /// Where its standard library for WebAssembly comes from.
    #[must_use]
    pub const fn standard_library(&self) -> StandardLibrary {
        self.standard_library
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let library = match self.standard_library {
            StandardLibrary::Installed => "with the target installed",
            StandardLibrary::FromSource => "with the standard library built from source",
        };
        write!(f, "{} at `{}`, {library}", self.version, self.rustc.display())?;
        match &self.linker {
            Some(linker) => write!(f, ", linked by `{}`", linker.display()),
            None => Ok(()),
        }
    }
}

/// A toolchain of this machine, able to build for WebAssembly or not.
struct Found {
    cargo: PathBuf,
    rustc: PathBuf,
    sysroot: PathBuf,
    version: String,
    host: String,
}

impl Found {
    /// Asks a `rustc`, or rustup's stand-in for one, for the toolchain behind it.
    fn behind(rustc: &Path, folder: &Path) -> Option<Self> {
        let sysroot = PathBuf::from(answer(rustc, &["--print", "sysroot"], folder)?);
        let details = answer(rustc, &["--version", "--verbose"], folder)?;
        let host = details.lines().find_map(|line| line.strip_prefix("host: "))?.to_owned();
        let bin = sysroot.join("bin");
        Some(Self {
            cargo: bin.join("cargo").with_extension(env::consts::EXE_EXTENSION),
            rustc: bin.join("rustc").with_extension(env::consts::EXE_EXTENSION),
            version: details.lines().next()?.to_owned(),
            host,
            sysroot,
        })
    }

    fn with(&self, library: StandardLibrary, all: &[Self]) -> Result<Toolchain, &'static str> {
        if !self.cargo.is_file() {
            return Err("has no cargo beside it");
        }
        let own_linker = self.linker();
        let linker = match &own_linker {
            Some(_) => None,
            None => all.iter().find_map(Self::linker).or_else(linker_in_path),
        };
        match library {
            StandardLibrary::Installed if !self.has_target() => {
                return Err("has no WebAssembly target");
            }
            StandardLibrary::FromSource if !self.has_sources() => {
                return Err("has neither the WebAssembly target nor sources to build it from");
            }
            StandardLibrary::FromSource if own_linker.is_none() && linker.is_none() => {
                return Err("has the sources of the standard library but no linker (`wasm-ld`)");
            }
            StandardLibrary::Installed | StandardLibrary::FromSource => {}
        }
        Ok(Toolchain {
            cargo: self.cargo.clone(),
            rustc: self.rustc.clone(),
            sysroot: self.sysroot.clone(),
            linker,
            version: self.version.clone(),
            standard_library: library,
        })
    }

    fn has_target(&self) -> bool {
        let libraries = self.sysroot.join("lib/rustlib").join(TARGET).join("lib");
        fs::read_dir(libraries).is_ok_and(|mut entries| entries.next().is_some())
    }

    fn has_sources(&self) -> bool {
        self.sysroot.join("lib/rustlib/src/rust/library/Cargo.lock").is_file()
    }

    fn linker(&self) -> Option<PathBuf> {
        let name = Path::new("rust-lld").with_extension(env::consts::EXE_EXTENSION);
        let linker = self.sysroot.join("lib/rustlib").join(&self.host).join("bin").join(name);
        linker.is_file().then_some(linker)
    }
}

/// The toolchains behind `RUSTC` and every `rustc` in `PATH`, each once.
fn installed(folder: &Path) -> Vec<Found> {
    let name = Path::new("rustc").with_extension(env::consts::EXE_EXTENSION);
    let in_path = path_directories().into_iter().map(|directory| directory.join(&name));
    let named = env::var_os("RUSTC").map(PathBuf::from);
    let mut found: Vec<Found> = Vec::new();
    for rustc in named.into_iter().chain(in_path.filter(|rustc| rustc.is_file())) {
        if let Some(toolchain) = Found::behind(&rustc, folder)
            && found.iter().all(|known| known.sysroot != toolchain.sysroot)
        {
            found.push(toolchain);
        }
    }
    found
}

fn shortcomings(toolchains: &[Found]) -> String {
    if toolchains.is_empty() {
        return "there is no `rustc` in `PATH`".to_owned();
    }
    let lacks = |found: &Found| {
        let lack = found.with(StandardLibrary::FromSource, toolchains).err().unwrap_or_default();
        format!("`{}` {lack}", found.rustc.display())
    };
    toolchains.iter().map(lacks).collect::<Vec<_>>().join(", ")
}

/// `wasm-ld`, also under the versioned names that Debian gives it (`wasm-ld-19`).
fn linker_in_path() -> Option<PathBuf> {
    let is_linker = |name: &OsStr| {
        let name = name.to_string_lossy();
        let suffix = name.strip_suffix(env::consts::EXE_SUFFIX).unwrap_or(&name);
        suffix.strip_prefix("wasm-ld").is_some_and(|version| {
            version.is_empty()
                || version.strip_prefix('-').is_some_and(|v| v.parse::<u32>().is_ok())
        })
    };
    path_directories().iter().find_map(|directory| {
        let names = fs::read_dir(directory).ok()?.flatten().map(|entry| entry.file_name());
        // The newest: an older linker may not read what a newer LLVM wrote.
        let newest =
            names.filter(|name| is_linker(name)).max_by_key(|name| (name.len(), name.clone()));
        newest.map(|name| directory.join(name))
    })
}

fn path_directories() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // What is found there is run in another folder.
    env::split_paths(&path).filter_map(|folder| std::path::absolute(folder).ok()).collect()
}

fn answer(program: &Path, arguments: &[&str], folder: &Path) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(folder).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sysroot: &str) -> Found {
        Found {
            cargo: PathBuf::from(sysroot).join("bin/cargo"),
            rustc: PathBuf::from(sysroot).join("bin/rustc"),
            sysroot: PathBuf::from(sysroot),
            version: "rustc 1.95.0".to_owned(),
            host: "x86_64-unknown-linux-gnu".to_owned(),
        }
    }

    #[test]
    fn a_missing_toolchain_says_what_to_install() {
        let tried = shortcomings(&[found("/nowhere")]);
        let message = BuildError::NoToolchain { tried }.to_string();
        assert!(message.contains("`/nowhere/bin/rustc` has no cargo beside it"), "{message}");
        assert!(message.contains("rustup target add wasm32-unknown-unknown"), "{message}");
        assert!(message.contains("apt-get install rustc-web"), "{message}");
        assert!(shortcomings(&[]).contains("no `rustc`"));
    }

    #[test]
    fn a_toolchain_says_where_its_standard_library_comes_from() {
        let toolchain = Toolchain {
            cargo: "/usr/bin/cargo".into(),
            rustc: "/usr/bin/rustc".into(),
            sysroot: "/usr".into(),
            linker: Some("/usr/bin/wasm-ld-19".into()),
            version: "rustc 1.96.0".to_owned(),
            standard_library: StandardLibrary::FromSource,
        };
        assert_eq!(
            toolchain.to_string(),
            "rustc 1.96.0 at `/usr/bin/rustc`, with the standard library built from source, \
             linked by `/usr/bin/wasm-ld-19`"
        );
    }
}
