//! The contract, narrowed to what a policy reads.
//!
//! Components from JavaScript and Python import every interface of their world, and every function
//! of an interface, used or not. So the world that they are built for has to be what they read and
//! nothing more. An interface that is only there for its types loses its functions.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use wit_component::WitPrinter;
use wit_parser::{Interface, Package, Resolve, WorldItem};

use super::BuildError;
use crate::project::Import;
use crate::project::sdk::CONTRACT;

/// Name of the world, in the narrowed contract as in the whole one.
pub(super) const WORLD: &str = "policy";

/// Writes the narrowed contract as a WIT package into the folder `wit`, which is made.
pub(super) fn write(reads: &BTreeSet<Import>, wit: &Path) -> Result<(), BuildError> {
    let narrowed = narrowed_contract(reads)?;
    let file = wit.join("policy.wit");
    fs::create_dir_all(wit)
        .and_then(|()| fs::write(&file, narrowed))
        .map_err(|source| BuildError::File { path: file, source })
}

/// The contract as WIT, its world narrowed to what is read.
///
/// # Errors
/// When the contract in this binary is none.
pub fn narrowed_contract(reads: &BTreeSet<Import>) -> Result<String, BuildError> {
    let mut resolve = Resolve::default();
    let package = resolve
        .push_source("policy.wit", CONTRACT)
        .map_err(|error| failed(&format!("{error:#}")))?;
    let is_read = |name: &str| reads.iter().any(|import| import.as_str() == name);

    let mut unread = Vec::new();
    let Package { interfaces, worlds, .. } =
        resolve.packages.get(package).ok_or_else(|| failed("it is no package"))?.clone();
    for (name, id) in interfaces {
        let Some(Interface { functions, .. }) = resolve.interfaces.get_mut(id) else { continue };
        // One without functions shows nothing: it holds the types of the answer.
        if !is_read(&name) && !functions.is_empty() {
            functions.clear();
            unread.push(id);
        }
    }
    let world = worlds.get(WORLD).and_then(|world| resolve.worlds.get_mut(*world));
    let world = world.ok_or_else(|| failed("it has no world `policy`"))?;
    // One whose types another uses is imported for that one's sake.
    world.imports.retain(|_, item| match item {
        WorldItem::Interface { id, .. } => !unread.contains(id),
        WorldItem::Function(_) | WorldItem::Type { .. } => true,
    });
    let mut printer = WitPrinter::default();
    printer.print(&resolve, package, &[]).map_err(|error| failed(&format!("{error:#}")))?;
    Ok(printer.output.to_string())
}

fn failed(reason: &str) -> BuildError {
    BuildError::World(reason.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use wit_parser::WorldKey;

    use super::*;

    /// The interfaces that a world narrowed to `reads` imports, each with the number of its
    /// functions, and the names of what it exports.
    fn narrowed(reads: &[Import]) -> (Vec<(String, usize)>, Vec<String>) {
        let text = narrowed_contract(&reads.iter().copied().collect()).unwrap();
        let mut resolve = Resolve::default();
        let package = resolve.push_source("narrowed.wit", &text).unwrap();
        let world = &resolve.worlds[resolve.packages[package].worlds[WORLD]];
        let imports = world.imports.values().filter_map(|item| match item {
            WorldItem::Interface { id, .. } => {
                let interface = &resolve.interfaces[*id];
                Some((interface.name.clone().unwrap(), interface.functions.len()))
            }
            WorldItem::Function(_) | WorldItem::Type { .. } => None,
        });
        let exports = world.exports.keys().map(|key| match key {
            WorldKey::Name(name) => name.clone(),
            WorldKey::Interface(_) => panic!("an interface is exported"),
        });
        (imports.collect(), exports.collect())
    }

    #[test]
    fn the_world_imports_what_is_read_and_exports_what_the_contract_does() {
        let (imports, exports) = narrowed(&[Import::Metrics, Import::Log]);
        let names: Vec<&str> = imports.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["metrics", "log", "checks"]);
        assert_eq!(exports, ["describe", "evaluate"]);
    }

    #[test]
    fn an_interface_that_is_there_for_its_types_has_no_functions() {
        let (imports, _) = narrowed(&[Import::History]);
        assert!(imports.contains(&("promotion".to_owned(), 0)), "{imports:?}");
        assert!(imports.contains(&("history".to_owned(), 2)), "{imports:?}");
    }

    #[test]
    fn all_that_is_read_is_the_whole_contract() {
        let (imports, _) = narrowed(&Import::ALL);
        assert_eq!(imports.len(), Import::ALL.len() + 1);
        assert!(narrowed(&[]).0.iter().all(|(_, functions)| *functions == 0));
    }

    #[test]
    fn the_package_keeps_its_name_and_version() {
        let text = narrowed_contract(&BTreeSet::new()).unwrap();
        let package = CONTRACT.lines().find(|line| line.starts_with("package ")).unwrap();
        assert!(text.lines().any(|line| line == package), "{text}");
    }
}
