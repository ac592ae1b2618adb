//! Hostile policies, each a core module in `wat/`, made into components for the contract's world.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

include!(concat!(env!("OUT_DIR"), "/guests.rs"));

#[doc(hidden)]
#[macro_export]
macro_rules! __spread {
    ($call:ident $($name:ident)*) => { $($call!($name);)* };
}

/// What most guests share: memory, an allocator that always answers with the second page, and
/// a `describe` with the one rule `a-rule`. Stands for `;;! honest` in a guest.
const HONEST_PARTS: &str = r#"
  (memory (export "memory") 2)
  (data (i32.const 1024) "a-guest")
  (data (i32.const 1040) "1.0.0")
  (data (i32.const 1056) "a-rule")
  (data (i32.const 1072) "{}")
  (data (i32.const 1088) "\20\04\00\00\06\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00")
  (data (i32.const 1120) "\00\04\00\00\07\00\00\00\10\04\00\00\05\00\00\00\00\00\00\00\00\00\00\00\40\04\00\00\01\00\00\00\30\04\00\00\02\00\00\00")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
  (func (export "describe") (result i32) (i32.const 1120))
"#;

/// An `evaluate` that answers with one passed check of `a-rule` at 2048, which guests may have
/// overwritten before: `$answer` gives the answer. Stands for `;;! one check` in a guest.
const ONE_CHECK: &str = r#"
  ;; result: ok, one check at 2048
  (data (i32.const 2000) "\00\00\00\00\00\08\00\00\01\00\00\00")
  ;; check: rule `a-rule`, about none, pass, message `a-rule`, no measure, no remedy
  (data (i32.const 2048) "\20\04\00\00\06\00\00\00")
  (data (i32.const 2072) "\20\04\00\00\06\00\00\00")
  (func $answer (result i32) (i32.const 2000))
"#;

/// Makes a component of a core module in text form.
///
/// # Panics
/// When the module does not fit the world; the guests are fixed texts.
#[must_use]
#[expect(clippy::panic, reason = "a test fixture that does not build is a failed test")]
pub fn component(core: &str) -> Vec<u8> {
    encode(core).unwrap_or_else(|error| panic!("the guest does not build: {error}"))
}

fn encode(core: &str) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let text = core.replace(";;! honest", HONEST_PARTS).replace(";;! one check", ONE_CHECK);
    let mut module = wat::parse_str(text)?;
    let mut resolve = Resolve::default();
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/wit/policy.wit");
    let package = resolve.push_file(contract)?;
    let world = resolve.select_world(&[package], Some("policy"))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    Ok(ComponentEncoder::default().module(&module)?.validate(true).encode()?)
}
