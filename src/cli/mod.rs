//! The command line: the only place where everything is put together.

mod check;
mod completions;
mod config;
mod decision;
mod evidence;
mod exit;
mod gate_file;
mod init;
mod output;
mod policy;
mod record;
mod registry;
mod sandbox;
mod serve;
mod sources;
mod terminal;
mod token;

use clap::{Parser, Subcommand};

pub use exit::Exit;
use terminal::{Color, Terminal};

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
    Check(check::Check),
    Init(init::Init),
    #[command(subcommand)]
    Config(config::Config),
    #[command(subcommand)]
    Decision(decision::Decision),
    #[command(subcommand)]
    Evidence(evidence::Evidence),
    #[command(subcommand)]
    Policy(policy::Policy),
    Serve(Box<serve::Serve>),
    #[command(subcommand)]
    Token(token::Token),
    Completions(completions::Completions),
}

/// Runs a command to its exit code. What went wrong is told on standard error.
#[must_use]
pub fn run(cli: &Cli) -> Exit {
    let terminal = Terminal::new(cli.color);
    let result = match &cli.command {
        Command::Check(command) => command.run(&terminal),
        Command::Init(command) => command.run(&terminal),
        Command::Config(command) => command.run(&terminal),
        Command::Decision(command) => command.run(&terminal),
        Command::Evidence(command) => command.run(&terminal),
        Command::Policy(command) => command.run(&terminal),
        Command::Serve(command) => command.run(&terminal),
        Command::Token(command) => command.run(&terminal),
        Command::Completions(command) => command.run(&terminal),
    };
    result.unwrap_or_else(|error| {
        terminal.error(&error);
        Exit::Usage
    })
}
