//! Components near the limits of what can be compiled: they load or are refused, and in either
//! case the host goes on.

use std::fmt::Write as _;

use crate::support::{assert_contained, load, sandbox};

/// Loads a guest whose core module has `extra` besides what every guest has.
fn load_with(extra: &str) {
    let core = lockgate_guests::HONEST.replacen("(module", &format!("(module {extra}"), 1);
    let sandbox = sandbox();
    match load(&sandbox, &lockgate_guests::component(&core)) {
        Ok(policy) => {
            let answer = crate::support::evaluate(policy.as_ref(), &Default::default());
            assert!(answer.result.is_ok());
        }
        Err(reason) => assert_contained(&sandbox, &reason),
    }
}

#[test]
fn survives_fifty_thousand_locals() {
    load_with(&format!("(func (local{}))", " i64".repeat(49_999)));
}

#[test]
fn survives_fifty_thousand_functions() {
    load_with(
        &"(func (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))".repeat(50_000),
    );
}

#[test]
fn survives_deeply_nested_blocks() {
    load_with(&format!("(func {}{})", "block ".repeat(20_000), "end ".repeat(20_000)));
}

#[test]
fn survives_one_function_of_a_mebibyte() {
    let mut body = String::from("(func (param i64) (result i64) (local.get 0)");
    for step in 0..200_000 {
        write!(body, "(i64.const {step})(i64.mul)").unwrap();
    }
    load_with(&(body + ")"));
}

#[test]
fn survives_a_branch_table_of_a_hundred_thousand() {
    load_with(&format!("(func (param i32) (br_table{} (local.get 0)))", " 0".repeat(100_000)));
}

#[test]
fn survives_a_thousand_params() {
    load_with(&format!("(func (param{}))", " f64".repeat(1_000)));
}
