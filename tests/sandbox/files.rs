//! Files that are no policies, and imports that are not on offer.

use lockgate::model::Undecided;
use lockgate::policy::{PolicyLoader, PolicyRef};

use crate::support::{assert_contained, load, load_file, sandbox};

fn refused(bytes: &[u8]) -> String {
    let sandbox = sandbox();
    let reason = load(&sandbox, bytes).map(|_| ()).unwrap_err();
    assert!(matches!(reason, Undecided::Unloadable { .. }), "{reason}");
    assert_contained(&sandbox, &reason);
    reason.to_string()
}

#[test]
fn rejects_a_file_that_is_no_wasm() {
    assert!(refused(b"#!/bin/sh\nexit 0\n").contains("not a WebAssembly file"));
    assert!(refused(b"").contains("not a WebAssembly file"));
}

#[test]
fn rejects_a_core_module() {
    let module = wat::parse_str("(module)").unwrap();
    assert!(refused(&module).contains("core Wasm module"));
}

#[test]
fn rejects_a_component_cut_short_anywhere() {
    let whole = lockgate_guests::component(lockgate_guests::HONEST);
    let sandbox = sandbox();
    for length in (0..whole.len()).step_by(97) {
        assert!(load(&sandbox, &whole[..length]).is_err(), "{length} bytes");
    }
    assert!(load(&sandbox, &whole).is_ok());
}

#[test]
fn rejects_a_component_that_exports_no_policy() {
    let component = wat::parse_str("(component)").unwrap();
    assert!(refused(&component).contains("describe"));
}

#[test]
fn rejects_imports_of_wasi_by_name() {
    let component = wat::parse_str(
        r#"(component
            (import "wasi:filesystem/preopens@0.2.0"
                (instance (export "get-directories" (func (result u32))))))"#,
    )
    .unwrap();
    let message = refused(&component);
    assert!(message.contains("`wasi:filesystem/preopens@0.2.0`"), "{message}");
}

#[test]
fn rejects_a_bare_import_by_name() {
    let component = wat::parse_str(r#"(component (import "secrets" (func)))"#).unwrap();
    assert!(refused(&component).contains("`secrets`"));
}

#[test]
fn rejects_an_unknown_function_of_the_contract_by_name() {
    let component = wat::parse_str(
        r#"(component
            (import "lockgate:policy/metrics@1.9.0"
                (instance (export "everything" (func (result u32))))))"#,
    )
    .unwrap();
    let message = refused(&component);
    assert!(message.contains("`lockgate:policy/metrics@1.9.0#everything`"), "{message}");
}

#[test]
fn rejects_an_unknown_interface_of_the_contract_by_name() {
    let component = wat::parse_str(
        r#"(component
            (import "lockgate:policy/network@1.0.0"
                (instance (export "get" (func (result u32))))))"#,
    )
    .unwrap();
    assert!(refused(&component).contains("`lockgate:policy/network@1.0.0`"));
}

#[test]
fn rejects_a_known_function_of_another_type() {
    let component = wat::parse_str(
        r#"(component
            (import "lockgate:policy/history@1.0.0"
                (instance (export "current" (func (result u32))))))"#,
    )
    .unwrap();
    refused(&component);
}

#[test]
fn rejects_a_missing_file_a_folder_and_a_pipe() {
    let sandbox = sandbox();
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    for path in [folder.path().join("missing.wasm"), folder.path().to_owned(), pipe] {
        let reason = load_file(&sandbox, &path).map(|_| ()).unwrap_err();
        assert!(matches!(reason, Undecided::Unloadable { .. }), "{reason}");
        assert!(reason.to_string().contains(&path.display().to_string()), "{reason}");
    }
}

#[test]
fn rejects_a_file_past_the_size_limit_without_reading_it() {
    let sandbox = sandbox();
    let file = tempfile::NamedTempFile::new().unwrap();
    // Sparse: takes no room on disk.
    file.as_file().set_len(lockgate::wasm::COMPONENT_BYTES + 1).unwrap();
    let reason = load_file(&sandbox, file.path()).map(|_| ()).unwrap_err();
    assert!(reason.to_string().contains("64 MiB"), "{reason}");
}

#[test]
fn rejects_a_standard_policy_that_is_none() {
    let reason = sandbox().load(&PolicyRef::Standard("nonesuch".into())).map(|_| ()).unwrap_err();
    assert!(reason.to_string().contains("`nonesuch`"), "{reason}");
}
