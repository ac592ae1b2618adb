//! Reading a component: what it is, what it imports, and whether that is on offer.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use super::bindings::v1;
use super::engine::SandboxEngine;
use super::host::Offer;
use crate::model::Undecided;

/// Size of a component, bytes. The largest real ones, Python with its interpreter, have some
/// 20 MB; the size bounds what compiling one takes.
pub const COMPONENT_BYTES: u64 = 64 << 20;

/// An interface of the contract and the functions of it that a policy imports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Name within the contract.
    pub name: String,
    /// The functions imported, in alphabetical order.
    pub functions: Vec<String>,
}

/// A component file, open and of a size that is taken.
pub(super) struct ComponentFile {
    file: File,
    size: u64,
    shown: String,
}

impl ComponentFile {
    pub(super) fn open(path: &Path) -> Result<Self, Undecided> {
        let shown = path.display().to_string();
        let unreadable = |error: io::Error| refused(format!("`{shown}`: {error}"));
        // Opening a pipe or a device could wait for ever.
        if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(refused(format!("`{shown}` is not a file")));
        }
        let file = File::open(path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let this = Self { file, size, shown };
        if size > COMPONENT_BYTES { Err(this.too_large()) } else { Ok(this) }
    }

    pub(super) const fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn read(&self) -> Result<Vec<u8>, Undecided> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.size).unwrap_or(0));
        (&self.file)
            .take(COMPONENT_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| refused(format!("`{}`: {error}", self.shown)))?;
        // It may have grown since it was opened.
        if u64::try_from(bytes.len()).is_ok_and(|length| length > COMPONENT_BYTES) {
            return Err(self.too_large());
        }
        Ok(bytes)
    }

    fn too_large(&self) -> Undecided {
        refused(format!(
            "`{}` is larger than {} MiB, the most a policy may have",
            self.shown,
            COMPONENT_BYTES >> 20
        ))
    }
}

const fn refused(detail: String) -> Undecided {
    Undecided::Unloadable { detail }
}

/// Checks the first bytes, so that a wrong file is told apart from a broken component.
pub(super) fn check_magic(bytes: &[u8]) -> Result<(), Undecided> {
    let detail = match bytes.first_chunk::<8>() {
        Some([0, b'a', b's', b'm', 0x0d, 0, 1, 0]) => return Ok(()),
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => {
            "it is a core Wasm module, not a component; build it with `lockgate policy build` or wit-component"
        }
        Some([0, b'a', b's', b'm', ..]) => "it is Wasm of a version that is not known",
        _ => "it is not a WebAssembly file",
    };
    Err(Undecided::Unloadable { detail: detail.to_owned() })
}

/// Lists what a component imports, refusing what is not on offer.
pub(super) fn imports(
    component: &Component,
    engine: &SandboxEngine,
    offer: &Offer,
) -> Result<Vec<Interface>, Undecided> {
    let engine = engine.wasmtime();
    let mut interfaces = Vec::new();
    for (name, import) in component.component_type().imports(engine) {
        let Some(interface) = interface_of(name) else {
            return Err(Undecided::Unloadable {
                detail: format!(
                    "it imports `{name}`, and a policy may import only `{}`; build it without that import",
                    v1::PACKAGE
                ),
            });
        };
        let Some(functions) = offer.get(interface) else {
            return Err(unknown(name, "is an interface"));
        };
        let ComponentItem::ComponentInstance(instance) = import.ty else {
            return Err(unknown(name, "is something"));
        };
        let mut imported = Vec::new();
        for (export, item) in instance.exports(engine) {
            let is_type = matches!(item.ty, ComponentItem::Type(_));
            if is_type {
                continue;
            }
            if !functions.contains(&export) {
                return Err(unknown(&format!("{name}#{export}"), "is a function"));
            }
            imported.push(export.to_owned());
        }
        imported.sort();
        interfaces.push(Interface { name: interface.to_owned(), functions: imported });
    }
    interfaces.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(interfaces)
}

/// The names that a component imports and exports.
pub(super) struct Names {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
}

impl Names {
    pub(super) fn of(component: &Component, engine: &SandboxEngine) -> Self {
        let engine = engine.wasmtime();
        let shape = component.component_type();
        Self {
            imports: shape.imports(engine).map(|(name, _)| name.to_owned()).collect(),
            exports: shape.exports(engine).map(|(name, _)| name.to_owned()).collect(),
        }
    }
}

fn unknown(import: &str, is: &str) -> Undecided {
    Undecided::Unloadable {
        detail: format!(
            "it imports `{import}`, which {is} that this lockgate does not offer; use a newer lockgate or build against its contract"
        ),
    }
}

/// The interface in `lockgate:policy/INTERFACE@1.x.y`; none for anything else.
fn interface_of(import: &str) -> Option<&str> {
    let rest = import.strip_prefix(v1::PACKAGE)?.strip_prefix('/')?;
    let (interface, version) = rest.split_once('@')?;
    version.starts_with("1.").then_some(interface)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_contract_of_this_major_version_is_known() {
        assert_eq!(interface_of("lockgate:policy/metrics@1.0.0"), Some("metrics"));
        assert_eq!(interface_of("lockgate:policy/metrics@1.7.2"), Some("metrics"));
        for import in [
            "lockgate:policy/metrics@2.0.0",
            "lockgate:policy/metrics",
            "lockgate:policyx/metrics@1.0.0",
            "wasi:cli/environment@0.2.0",
            "env",
        ] {
            assert_eq!(interface_of(import), None, "{import}");
        }
    }

    #[test]
    fn a_core_module_and_other_files_are_told_apart() {
        let detail = |bytes: &[u8]| check_magic(bytes).unwrap_err().to_string();
        assert!(detail(b"\0asm\x01\0\0\0").contains("core Wasm module"));
        assert!(detail(b"hello").contains("not a WebAssembly file"));
        assert!(check_magic(b"\0asm\x0d\0\x01\0").is_ok());
    }
}
