use wasm_metadata::Producers;
use wit_component::{ComponentEncoder, DecodedWasm};
use wit_parser::WorldItem;

use crate::BuildError;

/// Makes the component of a core module that was built against a WIT world, and validates it.
///
/// # Errors
///
/// When the module is damaged, carries no component type, or imports what that type lacks.
pub fn componentize(module: &[u8]) -> Result<Vec<u8>, BuildError> {
    // What the compiler says of itself is stripped from the module with all else that does not run.
    let mut producers = Producers::empty();
    producers.add("language", "Rust", "");
    ComponentEncoder::default()
        .module(module)
        .and_then(|encoder| encoder.validate(true).encode())
        .and_then(|component| producers.add_to_wasm(&component))
        .map_err(|error| BuildError::NoComponent { detail: one_line(&format!("{error:#}")) })
}

/// The functions that a component imports, each as `INTERFACE#FUNCTION`, in order. An interface
/// that it imports for its types alone gives none.
///
/// # Errors
///
/// When the bytes are no component.
pub fn imports(component: &[u8]) -> Result<Vec<String>, BuildError> {
    let detail =
        |error: anyhow::Error| BuildError::NoComponent { detail: one_line(&format!("{error:#}")) };
    let DecodedWasm::Component(resolve, world) =
        wit_component::decode(component).map_err(detail)?
    else {
        return Err(BuildError::NoComponent { detail: "it is a WIT package".to_owned() });
    };
    let Some(world) = resolve.worlds.get(world) else {
        return Err(BuildError::NoComponent { detail: "it has no world".to_owned() });
    };
    let mut imports = Vec::new();
    for (key, item) in &world.imports {
        let name = resolve.name_world_key(key);
        match item {
            WorldItem::Interface { id, .. } => {
                let functions = resolve.interfaces.get(*id).map(|interface| &interface.functions);
                imports.extend(
                    functions
                        .into_iter()
                        .flatten()
                        .map(|(function, _)| format!("{name}#{function}")),
                );
            }
            WorldItem::Function(_) => imports.push(name),
            WorldItem::Type { .. } => {}
        }
    }
    imports.sort_unstable();
    Ok(imports)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_bytes_that_are_no_module() {
        for bytes in [b"".as_slice(), b"no wasm", b"\0asm\x01\0\0"] {
            assert!(matches!(componentize(bytes), Err(BuildError::NoComponent { .. })));
            assert!(matches!(imports(bytes), Err(BuildError::NoComponent { .. })));
        }
    }

    #[test]
    fn a_module_without_a_component_type_imports_nothing() {
        let component = componentize(b"\0asm\x01\0\0\0").unwrap();
        assert_eq!(imports(&component).unwrap(), Vec::<String>::new());
    }
}
