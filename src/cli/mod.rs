//! The command line: the only place where everything is put together.

mod check;
mod completions;
mod config;
mod decision;
mod evidence;
mod exit;
mod gate_file;
mod init;
mod lazily;
mod output;
mod policy;
mod record;
mod registry;
mod sandbox;
mod serve;
mod sources;
mod terminal;
mod token;

use std::panic::{AssertUnwindSafe, catch_unwind};

use clap::{Parser, Subcommand};

pub use exit::Exit;
use lazily::Lazily;
use terminal::{Color, Terminal, Unprintable};

/// Decides whether a model version may move up a stage.
///
/// Policies are WebAssembly components that see only the evidence they import. A gate file says
/// which of them guard which promotions; `lockgate check` says allow or deny.
#[derive(Debug, Parser)]
#[command(
    name = "lockgate",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "Exit codes:\n  0  allow, or done\n  1  deny\n  2  wrong usage or configuration\n  3  undecided: could not judge; never to be taken for allow\n\nStart with `lockgate init`, then `lockgate check MODEL/VERSION --to TARGET --evidence DIR`."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,

    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge whether a model version may move to a target.
    Check(Lazily<check::Check>),
    /// Write a first gate file with comments.
    Init(Lazily<init::Init>),
    /// Check the gate file, or print the JSON Schemas of lockgate's files.
    #[command(subcommand)]
    Config(Lazily<config::Config>),
    /// Look at decisions on record, and verify that nobody has changed them.
    #[command(subcommand)]
    Decision(Lazily<decision::Decision>),
    /// See what evidence is made of.
    #[command(subcommand)]
    Evidence(Lazily<evidence::Evidence>),
    /// See which policies there are and what one can see; make, test and share your own.
    #[command(subcommand)]
    Policy(Lazily<policy::Policy>),
    /// Decide on promotions in service: the admission server.
    Serve(Box<Lazily<serve::Serve>>),
    /// Make tokens for those who ask the server.
    #[command(subcommand)]
    Token(Lazily<token::Token>),
    /// Print shell completions.
    Completions(Lazily<completions::Completions>),
}

/// Runs a command to its exit code. What went wrong is told on standard error.
#[must_use]
pub fn run(cli: &Cli) -> Exit {
    let terminal = Terminal::new(cli.color);
    guarded(&terminal, || match &cli.command {
        Command::Check(Lazily(command)) => command.run(&terminal),
        Command::Init(Lazily(command)) => command.run(&terminal),
        Command::Config(Lazily(command)) => command.run(&terminal),
        Command::Decision(Lazily(command)) => command.run(&terminal),
        Command::Evidence(Lazily(command)) => command.run(&terminal),
        Command::Policy(Lazily(command)) => command.run(&terminal),
        Command::Serve(command) => command.0.run(&terminal),
        Command::Token(Lazily(command)) => command.run(&terminal),
        Command::Completions(Lazily(command)) => command.run(&terminal),
    })
}

/// Whatever happens ends with one of the exit codes that pipelines know.
fn guarded(terminal: &Terminal, run: impl FnOnce() -> anyhow::Result<Exit>) -> Exit {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => {
            terminal.error(&error);
            if error.is::<Unprintable>() { Exit::Undecided } else { Exit::Usage }
        }
        Err(_) => {
            terminal.error(&anyhow::anyhow!("a mistake in lockgate itself, told above; report it"));
            Exit::Undecided
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_has_an_exit_code_that_is_known() {
        let terminal = Terminal::new(Color::default());
        assert_eq!(guarded(&terminal, || Ok(Exit::Deny)), Exit::Deny);
        assert_eq!(guarded(&terminal, || anyhow::bail!("no gate file")), Exit::Usage);
        assert_eq!(guarded(&terminal, || panic!("a mistake")), Exit::Undecided);
    }
}
