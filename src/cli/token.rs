use clap::{Args, Subcommand};

use super::Exit;
use super::terminal::Terminal;
use crate::server::{NewToken, Role};

/// Make tokens for those who ask the server.
#[derive(Debug, Subcommand)]
pub(super) enum Token {
    New(New),
}

impl Token {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        match self {
            Self::New(command) => command.run(terminal),
        }
    }
}

/// Make a token.
///
/// Prints the token, this once, on standard error, and on standard output the line that belongs
/// in the server's file of tokens. The line holds only a digest of the token.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  lockgate token new ci --role ask --role submit-evidence >> tokens\n\nRoles:\n  ask              ask for decisions\n  submit-evidence  bring evidence along instead of having it collected\n  read             read decisions and metrics\n  administer       have the gates loaded anew"
)]
pub(super) struct New {
    /// Who it is for; stands on record with every decision that is asked for with it.
    #[arg(value_name = "NAME")]
    name: String,

    /// What it allows: `ask`, `submit-evidence`, `read` or `administer`. Can be given several
    /// times.
    #[arg(long, value_name = "ROLE", required = true)]
    role: Vec<Role>,
}

impl New {
    fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let NewToken { secret, line } = NewToken::make(&self.name, &self.role)??;
        terminal.print(&format!("{line}\n"))?;
        terminal.note("this is the token; it is not shown again");
        terminal.tell(format_args!("{secret}\n"));
        Ok(Exit::Done)
    }
}
