//! The SDKs and the templates of policy projects.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// Names of the constants, and the folders that their files are from. One that is not there holds
/// nothing.
const BUNDLES: [(&str, &str); 7] = [
    ("SDK_RUST", "sdk/rust"),
    ("SDK_JS", "sdk/js"),
    ("SDK_PYTHON", "sdk/python"),
    ("TEMPLATE_COMMON", "sdk/templates/common"),
    ("TEMPLATE_RUST", "sdk/templates/rust"),
    ("TEMPLATE_JS", "sdk/templates/js"),
    ("TEMPLATE_PYTHON", "sdk/templates/python"),
];

/// What tools leave behind, and the tests of the SDKs themselves.
const LEFT_OUT: [&str; 9] = [
    "target",
    "node_modules",
    "dist",
    "build-cache",
    ".venv",
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    "tests",
];

/// Writes `sdk.rs`.
pub(crate) fn embed(root: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let workspace: Table = fs::read_to_string(root.join("Cargo.toml"))?.parse()?;
    let mut code = String::new();
    for (constant, folder) in BUNDLES {
        let base = root.join(folder);
        let mut files = BTreeMap::new();
        if base.is_dir() {
            collect(&base, "", &mut files)?;
        }
        writeln!(code, "const {constant}: &[File] = &[")?;
        for (path, source) in files {
            let is_crate = folder.starts_with("sdk/rust") && path.ends_with("Cargo.toml");
            let source = if is_crate {
                let stands_alone = inherited(&workspace, root, &source)?;
                let written = out.join(format!("{constant}-{}", path.replace('/', "-")));
                fs::write(&written, stands_alone)?;
                written
            } else {
                source
            };
            writeln!(code, "    File {{ path: {path:?}, bytes: include_bytes!({source:?}) }},")?;
        }
        code.push_str("];\n");
    }
    fs::write(out.join("sdk.rs"), code)?;
    Ok(())
}

/// The files below `folder` by their path, always with `/`; links are followed.
fn collect(
    folder: &Path,
    prefix: &str,
    files: &mut BTreeMap<String, PathBuf>,
) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|name| format!("{name:?}"))?;
        let is_left_out = LEFT_OUT.contains(&name.as_str()) || name.ends_with(".egg-info");
        if is_left_out {
            continue;
        }
        let (path, source) = (format!("{prefix}{name}"), entry.path());
        if fs::metadata(&source)?.is_dir() {
            collect(&source, &format!("{path}/"), files)?;
        } else {
            files.insert(path, source);
        }
    }
    Ok(())
}

/// A crate's manifest with everything written out that it takes from the workspace, as it has to
/// be outside of it.
fn inherited(workspace: &Table, root: &Path, manifest: &Path) -> Result<String, Box<dyn Error>> {
    let from_workspace = |keys: &[&str]| {
        let workspace = workspace.get("workspace").and_then(Value::as_table);
        keys.iter().try_fold(workspace?, |table, key| table.get(*key)?.as_table())
    };
    let shared = |keys: &[&str]| {
        from_workspace(keys).ok_or_else(|| format!("the workspace has no `{}`", keys.join(".")))
    };
    let mut table: Table = fs::read_to_string(manifest)?.parse()?;
    if let Some(package) = table.get_mut("package").and_then(Value::as_table_mut) {
        let common = shared(&["package"])?;
        for (key, value) in package.iter_mut().filter(|(_, value)| inherits(value)) {
            *value = common.get(key).ok_or("a package key that the workspace lacks")?.clone();
        }
    }
    if table.get("lints").is_some_and(inherits) {
        table.insert("lints".to_owned(), shared(&["lints"])?.clone().into());
    }
    let folder = manifest.parent().ok_or("a manifest in no folder")?.strip_prefix(root)?;
    let dependencies = shared(&["dependencies"])?;
    write_out_dependencies(&mut table, dependencies, folder)?;
    if let Some(targets) = table.get_mut("target").and_then(Value::as_table_mut) {
        for target in targets.iter_mut().filter_map(|(_, target)| target.as_table_mut()) {
            write_out_dependencies(target, dependencies, folder)?;
        }
    }
    Ok(toml::to_string(&table)?)
}

fn write_out_dependencies(
    table: &mut Table,
    shared: &Table,
    folder: &Path,
) -> Result<(), Box<dyn Error>> {
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let Some(dependencies) = table.get_mut(kind).and_then(Value::as_table_mut) else {
            continue;
        };
        for (name, dependency) in dependencies.iter_mut().filter(|(_, value)| inherits(value)) {
            let own = dependency.as_table_mut().ok_or("a dependency that inherits nothing")?;
            own.remove("workspace");
            let mut written = match shared.get(name) {
                Some(Value::Table(table)) => table.clone(),
                Some(version) => Table::from_iter([("version".to_owned(), version.clone())]),
                None => return Err(format!("the workspace has no dependency `{name}`").into()),
            };
            if let Some(path) = written.get("path").and_then(Value::as_str) {
                // The workspace's crates lie within the folder of the one that needs them.
                let path = Path::new(path).strip_prefix(folder)?;
                let path = path.to_str().ok_or("a path that is no text")?.to_owned();
                written.insert("path".to_owned(), path.into());
            }
            if let Some(Value::Array(features)) = own.remove("features") {
                let all = written.entry("features").or_insert_with(|| Vec::<Value>::new().into());
                all.as_array_mut().ok_or("features that are no list")?.extend(features);
            }
            written.extend(std::mem::take(own));
            *own = written;
        }
    }
    Ok(())
}

fn inherits(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}
