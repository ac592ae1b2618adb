//! The program that `lockgate check` is measured against: maps compiled policies, calls each
//! once and says how many checks it made.
//!
//! `bare-wasmtime compile COMPONENT CODE`, then `bare-wasmtime run (CODE PARAMS)...`.

#![expect(clippy::print_stdout, reason = "a program's answer")]

mod bare;
mod evidence;

use std::sync::Arc;

use anyhow::{Result, bail};
use bare::Bare;
use wasmtime::component::Component;

/// As many findings as in the evidence that lockgate is given.
const FINDINGS: u32 = 200;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["compile", component, code] => {
            let compiled = Component::from_file(Bare::new()?.engine(), component)?;
            Ok(std::fs::write(code, compiled.serialize()?)?)
        }
        ["run", policies @ ..] => run(policies),
        _ => bail!("usage: bare-wasmtime compile COMPONENT CODE | run (CODE PARAMS)..."),
    }
}

fn run(policies: &[&str]) -> Result<()> {
    let bare = Bare::new()?;
    let facts = Arc::new(evidence::facts(FINDINGS));
    let mut checks = 0;
    for policy in policies.chunks_exact(2) {
        let [code, params] = policy else { continue };
        let component = map(&bare, code)?;
        match bare.prepare(&component)?.evaluate(&facts, params)? {
            Ok(made) => checks += made.len(),
            Err(refusal) => bail!("`{code}` refuses: {refusal}"),
        }
    }
    println!("{checks} checks");
    Ok(())
}

#[expect(unsafe_code, reason = "the file is this program's own, from `compile` a moment ago")]
fn map(bare: &Bare, code: &str) -> wasmtime::Result<Component> {
    // SAFETY: the measuring run made this file with `compile` and nobody changes it.
    unsafe { Component::deserialize_file(bare.engine(), code) }
}
