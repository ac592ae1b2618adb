//! From a project to its component, whatever it is written in. What every language's build ends
//! in is the same: the component's imports are held against `reads`.
//!
//! Whether the component keeps the rest of the contract only the sandbox can tell; a caller loads
//! it there before it is written anywhere.

mod js;
mod python;
mod rust;
mod script;
mod tool;
mod world;

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

pub use world::narrowed_contract;

use super::{Import, Language, Project};

/// A component, built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The component.
    pub component: Vec<u8>,
    /// What `reads` names and the component does not import.
    pub unused: Vec<Import>,
}

/// Why a project could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The Rust build has failed.
    #[error(transparent)]
    Rust(#[from] lockgate_build::BuildError),
    /// A tool that the build needs is not there.
    #[error("{tool} is missing, which building a policy in {language} needs; {remedy}", language = .language.as_str())]
    MissingTool {
        /// What is missing.
        tool: String,
        /// The project's language.
        language: Language,
        /// What to do: "run `…`".
        remedy: String,
    },
    /// A tool has failed; it has told why on standard error.
    #[error("`{tool}` failed ({how}); its messages say why")]
    ToolFailed {
        /// The tool.
        tool: String,
        /// How it ended.
        how: String,
    },
    /// A tool could not be run.
    #[error("`{tool}` could not be run: {source}")]
    NotRun {
        /// The tool.
        tool: String,
        /// Why.
        source: io::Error,
    },
    /// A file could not be read or written.
    #[error("`{}`: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The contract could not be narrowed to what the policy reads.
    #[error("the contract could not be narrowed to what the policy reads: {0}")]
    World(String),
    /// The policy imports what its manifest does not declare.
    #[error("{}", not_declared(.undeclared, .reads))]
    Undeclared {
        /// The interfaces, each with its function where that is known.
        undeclared: Vec<(Import, Option<String>)>,
        /// What the manifest declares.
        reads: BTreeSet<Import>,
    },
    /// The policy imports something that is not of the contract.
    #[error(
        "the policy imports `{0}`, and a policy may import only `lockgate:policy`; build it without what needs that import"
    )]
    Foreign(String),
}

/// Builds the policy of a project; `locked`, with the very dependencies of its lock file, which only
/// Rust's build would otherwise add to. `say` hears what is being done, one line at a time.
///
/// # Errors
/// What is missing, what failed, or what the component imports and must not.
pub fn build(project: &Project, locked: bool, say: &dyn Fn(&str)) -> Result<Built, BuildError> {
    let Compiled { component, uses } = match project.manifest.language {
        Language::Rust => rust::component(project, locked, say)?,
        Language::Js => js::component(project, say)?,
        Language::Python => python::component(project, say)?,
    };
    let reads = &project.manifest.reads;
    let imported = held_against_reads(&component, reads)?;
    let unused = reads.difference(uses.as_ref().unwrap_or(&imported)).copied().collect();
    Ok(Built { component, unused })
}

/// What the build of a language gives.
struct Compiled {
    component: Vec<u8>,
    /// The interfaces that the policy's code uses; none when the component's imports tell.
    uses: Option<BTreeSet<Import>>,
}

/// Refuses imports that are not declared, and says which interfaces are imported.
fn held_against_reads(
    component: &[u8],
    reads: &BTreeSet<Import>,
) -> Result<BTreeSet<Import>, BuildError> {
    let mut used = BTreeSet::new();
    let mut undeclared = Vec::new();
    for import in lockgate_build::imports(component)? {
        let Some((interface, function)) = of_contract(&import) else {
            return Err(BuildError::Foreign(import));
        };
        used.insert(interface);
        if !reads.contains(&interface) {
            undeclared.push((interface, Some(function.to_owned())));
        }
    }
    if !undeclared.is_empty() {
        return Err(BuildError::Undeclared { undeclared, reads: reads.clone() });
    }
    Ok(used)
}

/// Interface and function of `lockgate:policy/INTERFACE@VERSION#FUNCTION`; none of anything else.
fn of_contract(import: &str) -> Option<(Import, &str)> {
    let (interface, function) = import.strip_prefix("lockgate:policy/")?.split_once('#')?;
    let (interface, _version) = interface.split_once('@')?;
    let known = Import::ALL.into_iter().find(|known| known.as_str() == interface)?;
    Some((known, function))
}

/// Names what is not declared, and the line that would declare it.
fn not_declared(undeclared: &[(Import, Option<String>)], reads: &BTreeSet<Import>) -> String {
    let named = |(interface, function): &(Import, Option<String>)| match function {
        Some(function) => format!("`{interface}.{function}`"),
        None => format!("`{interface}`"),
    };
    let functions: Vec<String> = undeclared.iter().map(named).collect();
    let all: BTreeSet<Import> =
        reads.iter().copied().chain(undeclared.iter().map(|(interface, _)| *interface)).collect();
    let all: Vec<&str> = all.into_iter().map(Import::as_str).collect();
    format!(
        "the policy reads {}, which `policy.yaml` does not declare; write `reads: [{}]` there, or read it no more",
        functions.join(", "),
        all.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_told_by_interface_and_function() {
        assert_eq!(
            of_contract("lockgate:policy/metrics@1.0.0#candidate-named"),
            Some((Import::Metrics, "candidate-named"))
        );
        for foreign in [
            "wasi:cli/environment@0.2.0#get-environment",
            "lockgate:policy/metrics@1.0.0",
            "lockgate:policy/none@1.0.0#x",
            "metrics#candidate",
        ] {
            assert_eq!(of_contract(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn what_is_not_declared_is_named_with_the_line_to_write() {
        let message = not_declared(
            &[(Import::Metrics, Some("candidate".into())), (Import::Cost, None)],
            &BTreeSet::from([Import::Model, Import::Cost]),
        );
        assert!(message.contains("reads `metrics.candidate`, `cost`,"), "{message}");
        assert!(message.contains("write `reads: [model, metrics, cost]`"), "{message}");
    }
}
