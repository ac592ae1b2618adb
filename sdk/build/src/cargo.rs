use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{BuildError, StandardLibrary, TARGET, Toolchain};

/// Policy crates to build.
#[derive(Clone, Copy, Debug)]
pub struct Crates<'a> {
    /// `Cargo.toml` of the crate, or of the workspace they are all in.
    pub manifest: &'a Path,
    /// Names of the packages, built in one go.
    pub packages: &'a [&'a str],
    /// Where cargo keeps what it builds. Not the outer cargo's own directory, which is locked
    /// while a build script runs.
    pub target_dir: &'a Path,
}

/// A core module that cargo built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Name of its package.
    pub package: String,
    /// The module.
    pub bytes: Vec<u8>,
}

/// Settings of the profile that policies are built in, whatever profiles their workspace has.
///
/// A panic is a trap: there is nobody to unwind to.
const PROFILE: [&str; 7] = [
    "profile.wasm.inherits=\"release\"",
    "profile.wasm.opt-level=3",
    "profile.wasm.lto=\"fat\"",
    "profile.wasm.codegen-units=1",
    "profile.wasm.panic=\"abort\"",
    "profile.wasm.debug=false",
    "profile.wasm.strip=\"symbols\"",
];

/// What a `Cargo.lock` means that lacks a dependency, or is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// The build fails.
    Obeyed,
    /// The dependency is added.
    Extended,
}

impl Toolchain {
    /// Builds policy crates into core modules, in the order of [`Crates::packages`].
    ///
    /// Cargo's messages go to standard error. A `Cargo.lock` of the workspace is obeyed.
    ///
    /// # Errors
    ///
    /// When cargo cannot be run or fails, or a package gives no module.
    pub fn build(&self, crates: &Crates<'_>) -> Result<Vec<Module>, BuildError> {
        let packages = crates.packages;
        let manifest = whole(crates.manifest)?;
        let has_lock = self.workspace(&manifest)?.join("Cargo.lock").is_file();
        let lock = if has_lock { Lock::Obeyed } else { Lock::Extended };
        let built = self.artifacts(&manifest, packages, crates.target_dir, lock)?;
        packages
            .iter()
            .map(|package| {
                module(package, |id| package_name(id).as_deref() == Some(package), &built)
            })
            .collect()
    }

    /// Builds the one package that a `Cargo.toml` is of, whatever it is called.
    ///
    /// # Errors
    ///
    /// As [`Toolchain::build`], and when the manifest is not of a package.
    pub fn build_package(
        &self,
        manifest: &Path,
        target_dir: &Path,
        lock: Lock,
    ) -> Result<Module, BuildError> {
        let manifest = whole(manifest)?;
        let id = self.package_id(&manifest)?;
        let name = package_name(&id).unwrap_or_else(|| id.clone());
        let built = self.artifacts(&manifest, &[], target_dir, lock)?;
        module(&name, |other| other == id, &built)
    }

    /// Ids of the packages that cargo built, each with its module. Without names of packages it
    /// builds the manifest's own.
    fn artifacts(
        &self,
        manifest: &Path,
        packages: &[&str],
        target_dir: &Path,
        lock: Lock,
    ) -> Result<Vec<(String, PathBuf)>, BuildError> {
        let workspace = self.workspace(manifest)?;
        let target_dir = std::path::absolute(target_dir)
            .map_err(|source| BuildError::Unreadable { path: target_dir.to_owned(), source })?;
        let mut cargo = self.cargo(manifest);
        cargo
            .args(["build", "--lib", "--profile", "wasm", "--target", TARGET])
            .args(["--message-format", "json-render-diagnostics", "--manifest-path"])
            .arg(manifest)
            .arg("--target-dir")
            .arg(target_dir)
            .args(PROFILE.iter().flat_map(|setting| ["--config", setting]))
            .args(packages.iter().flat_map(|package| ["--package", package]))
            .env("CARGO_ENCODED_RUSTFLAGS", self.flags(&workspace))
            .stdin(Stdio::null())
            .stderr(Stdio::inherit());
        if lock == Lock::Obeyed {
            cargo.arg("--locked");
        }
        if let Some(linker) = &self.linker {
            cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        match self.standard_library() {
            StandardLibrary::Installed => {}
            StandardLibrary::FromSource => {
                // The flag is unstable, and this variable lets a stable toolchain have it.
                cargo.arg("-Zbuild-std=std,panic_abort").env("RUSTC_BOOTSTRAP", "1");
            }
        }
        let messages = run(cargo)?.ok_or_else(|| BuildError::Failed {
            packages: match packages {
                [] => format!("`{}`", manifest.display()),
                names => {
                    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
                }
            },
        })?;
        Ok(messages.lines().filter_map(artifact).collect())
    }

    /// The id that cargo gives the package of a manifest.
    fn package_id(&self, manifest: &Path) -> Result<String, BuildError> {
        let mut cargo = self.cargo(manifest);
        cargo
            .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
            .arg(manifest)
            .stderr(Stdio::inherit());
        let unexpected = || BuildError::Unexpected {
            detail: format!("`{}` is not of a package that cargo knows", manifest.display()),
        };
        let metadata: Value =
            serde_json::from_str(&run(cargo)?.ok_or_else(unexpected)?).map_err(|_| unexpected())?;
        let packages = metadata.get("packages").and_then(Value::as_array);
        let own = packages.into_iter().flatten().find(|package| {
            let path = package.get("manifest_path").and_then(Value::as_str);
            path.is_some_and(|path| Path::new(path) == manifest)
        });
        let id = own.and_then(|package| package.get("id")?.as_str());
        id.map(str::to_owned).ok_or_else(unexpected)
    }

    /// The directory of the workspace that a manifest belongs to.
    fn workspace(&self, manifest: &Path) -> Result<PathBuf, BuildError> {
        let mut cargo = self.cargo(manifest);
        cargo
            .args(["locate-project", "--workspace", "--message-format", "plain"])
            .arg("--manifest-path")
            .arg(manifest)
            .stderr(Stdio::inherit());
        let unexpected = || BuildError::Unexpected {
            detail: format!("`{}` belongs to no package or workspace", manifest.display()),
        };
        let root = run(cargo)?.ok_or_else(unexpected)?;
        Path::new(root.trim()).parent().map(Path::to_owned).ok_or_else(unexpected)
    }

    /// Cargo in the folder of a manifest, by which it finds the settings of the project
    /// (`.cargo/config.toml`).
    fn cargo(&self, manifest: &Path) -> Command {
        let mut command = Command::new(&self.cargo);
        if let Some(folder) = manifest.parent() {
            command.current_dir(folder);
        }
        for (name, _) in env::vars_os() {
            if is_of_the_outer_build(&name) {
                command.env_remove(name);
            }
        }
        command.env("RUSTC", &self.rustc);
        command
    }

    /// Flags for rustc, as cargo wants them: separated by the unit separator, so that a path may
    /// hold blanks.
    fn flags(&self, workspace: &Path) -> OsString {
        let mut flags = OsString::new();
        if self.linker.is_some() {
            flags.push("-Clinker-flavor=wasm-ld");
        }
        // Panic messages hold the paths of sources. What a component says must not depend on
        // whose machine it was built on.
        let sources = self.sysroot.join("lib/rustlib/src/rust");
        let mut remapped = vec![(workspace.to_owned(), "/policies")];
        remapped.extend(cargo_home().map(|home| (home, "/cargo")));
        remapped.extend(fs::canonicalize(&sources).ok().map(|linked| (linked, "/rust")));
        remapped.push((sources, "/rust"));
        for (from, to) in remapped {
            if !flags.is_empty() {
                flags.push("\u{1f}");
            }
            flags.push("--remap-path-prefix=");
            flags.push(from);
            flags.push("=");
            flags.push(to);
        }
        flags
    }
}

/// The manifest without links: cargo knows it by its whole path, and remaps paths by their
/// beginnings.
fn whole(manifest: &Path) -> Result<PathBuf, BuildError> {
    fs::canonicalize(manifest)
        .map_err(|source| BuildError::Unreadable { path: manifest.to_owned(), source })
}

/// Whether a variable tells of, or was set by, a cargo that we are called from: its compiler,
/// its flags, its directories. What says where registries are and how to reach them stays.
fn is_of_the_outer_build(name: &OsStr) -> bool {
    const KEPT: [&str; 10] = [
        "CARGO_HOME",
        "CARGO_MAKEFLAGS",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTRIES_",
        "CARGO_REGISTRY_",
        "CARGO_SOURCE_",
        "CARGO_TERM_",
        "RUSTUP_HOME",
        "RUST_BACKTRACE",
    ];
    const SET_FOR_BUILD_SCRIPTS: [&str; 8] =
        ["DEBUG", "HOST", "NUM_JOBS", "OPT_LEVEL", "OUT_DIR", "PROFILE", "TARGET", "CLIPPY_ARGS"];
    let Some(name) = name.to_str() else {
        return false;
    };
    SET_FOR_BUILD_SCRIPTS.contains(&name)
        || (["CARGO", "RUST", "__CARGO"].iter().any(|prefix| name.starts_with(prefix))
            && !KEPT.iter().any(|kept| name.starts_with(kept)))
}

fn cargo_home() -> Option<PathBuf> {
    let named = env::var_os("CARGO_HOME").map(PathBuf::from);
    named.or_else(|| env::home_dir().map(|home| home.join(".cargo")))
}

/// Standard output of a command; none when it failed.
fn run(mut command: Command) -> Result<Option<String>, BuildError> {
    let output = command
        .output()
        .map_err(|source| BuildError::NotRun { program: command.get_program().into(), source })?;
    let text = String::from_utf8(output.stdout)
        .map_err(|error| BuildError::Unexpected { detail: error.to_string() })?;
    Ok(output.status.success().then_some(text))
}

fn module(
    package: &str,
    is_it: impl Fn(&str) -> bool,
    built: &[(String, PathBuf)],
) -> Result<Module, BuildError> {
    let (_, path) = built
        .iter()
        .find(|(id, _)| is_it(id))
        .ok_or_else(|| BuildError::NoModule { package: package.to_owned() })?;
    let bytes =
        fs::read(path).map_err(|source| BuildError::Unreadable { path: path.clone(), source })?;
    Ok(Module { package: package.to_owned(), bytes })
}

/// Package id and module of one line of cargo's answer; none when it tells of something else.
fn artifact(line: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(line).ok()?;
    if message.get("reason")?.as_str()? != "compiler-artifact" {
        return None;
    }
    let is_module = |path: &&str| path.ends_with(".wasm");
    let mut files = message.get("filenames")?.as_array()?.iter().filter_map(Value::as_str);
    Some((message.get("package_id")?.as_str()?.to_owned(), files.find(is_module)?.into()))
}

/// The name in a package id: `path+file:///dir#name@1.0.0`, or `path+file:///dir/name#1.0.0`
/// where directory and package have one name.
fn package_name(id: &str) -> Option<String> {
    let (location, fragment) = id.split_once('#')?;
    let name = match fragment.split_once('@') {
        Some((name, _)) => name,
        None => location.rsplit('/').next()?,
    };
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_package_name_of_either_form_of_id() {
        for id in ["path+file:///a/gate#my-policy@0.1.0", "path+file:///a/my-policy#0.1.0"] {
            assert_eq!(package_name(id).as_deref(), Some("my-policy"), "{id}");
        }
        assert_eq!(package_name("my-policy"), None);
    }

    #[test]
    fn takes_only_modules_from_the_answer_of_cargo() {
        let line = |reason: &str, file: &str| {
            format!(
                r#"{{"reason":"{reason}","package_id":"path+file:///p#a@1","filenames":["{file}"]}}"#
            )
        };
        assert!(artifact(&line("compiler-artifact", "/t/a.wasm")).is_some());
        for line in [
            line("compiler-artifact", "/t/liba.rlib"),
            line("build-finished", "/t/a.wasm"),
            "no json".to_owned(),
        ] {
            assert_eq!(artifact(&line), None, "{line}");
        }
    }

    #[test]
    fn the_outer_build_does_not_reach_the_inner_one() {
        for name in [
            "RUSTC",
            "RUSTFLAGS",
            "RUSTC_WRAPPER",
            "RUSTUP_TOOLCHAIN",
            "CARGO",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_TARGET_DIR",
            "CARGO_BUILD_TARGET",
            "CARGO_PROFILE_RELEASE_LTO",
            "OUT_DIR",
        ] {
            assert!(is_of_the_outer_build(OsStr::new(name)), "{name}");
        }
        for name in ["PATH", "HOME", "CARGO_HOME", "CARGO_NET_OFFLINE", "HTTPS_PROXY"] {
            assert!(!is_of_the_outer_build(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn cargo_reads_the_settings_of_the_project() {
        let folder = env::temp_dir().join(format!("lockgate-build-{}", std::process::id()));
        for (name, text) in [
            ("Cargo.toml", "[package]\nname = \"gate\"\n[workspace]\n"),
            ("src/lib.rs", ""),
            (".cargo/config.toml", "no settings"),
        ] {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let toolchain = Toolchain::of(env!("CARGO"), "rustc");
        let id = |name: &str| toolchain.package_id(&whole(&folder.join(name)).unwrap());
        assert!(id("Cargo.toml").is_err());
        fs::remove_dir_all(folder.join(".cargo")).unwrap();
        assert_eq!(package_name(&id("Cargo.toml").unwrap()).as_deref(), Some("gate"));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn rejects_a_package_without_a_module() {
        assert!(matches!(module("a", |_| true, &[]), Err(BuildError::NoModule { .. })));
    }
}
