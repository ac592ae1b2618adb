use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Step;

pub(super) const STEPS: &[Step] = &[Step { command: "cargo test", gives: "its unit tests" }];

/// Names that no crate may have, or that would stand for another crate in the policy's code.
pub(super) const RESERVED: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "lockgate-sdk",
    "lockgate-sdk-macros",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// Puts the packages of the lock file into the order that cargo keeps them in, which depends on
/// the project's name: a lock file in another order counts as changed.
pub(super) fn lock_in_order(files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    const PACKAGE: &str = "\n[[package]]\n";
    let Some(lock) = files.get_mut(Path::new("Cargo.lock")) else { return };
    let text = String::from_utf8_lossy(lock).into_owned();
    let mut parts = text.trim_end().split(PACKAGE).map(str::trim_end);
    let head = parts.next().unwrap_or_default();
    let mut packages: Vec<&str> = parts.collect();
    packages.sort_by_key(|package| {
        let value =
            |key: &str| package.lines().find_map(|line| line.strip_prefix(key)?.strip_suffix('"'));
        (value("name = \""), value("version = \""))
    });
    let mut ordered = format!("{head}\n");
    for package in packages {
        ordered.push_str(PACKAGE);
        ordered.push_str(package);
        ordered.push('\n');
    }
    *lock = ordered.into_bytes();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_takes_its_place_among_the_packages() {
        let lock = "# head\nversion = 4\n\n[[package]]\nname = \"zeta\"\nversion = \"1.0.0\"\n\n\
                    [[package]]\nname = \"alpha\"\nversion = \"1.0.0\"\n";
        let path = PathBuf::from("Cargo.lock");
        let mut files = BTreeMap::from([(path.clone(), lock.as_bytes().to_vec())]);
        lock_in_order(&mut files);
        let ordered = String::from_utf8(files.remove(&path).unwrap()).unwrap();
        assert_eq!(
            ordered,
            "# head\nversion = 4\n\n[[package]]\nname = \"alpha\"\nversion = \"1.0.0\"\n\n\
             [[package]]\nname = \"zeta\"\nversion = \"1.0.0\"\n"
        );
    }
}
