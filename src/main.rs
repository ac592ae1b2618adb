//! The `lockgate` command.

use clap::Parser;
use lockgate::cli::{Cli, Exit, run};

fn main() -> Exit {
    run(&Cli::parse())
}
