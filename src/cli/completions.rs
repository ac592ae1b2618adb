use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::terminal::Terminal;
use super::{Cli, Exit};

/// Print shell completions.
///
/// For bash: `lockgate completions bash > ~/.local/share/bash-completion/completions/lockgate`.
#[derive(Args, Debug)]
pub(super) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "lockgate", &mut script);
        terminal.print(&String::from_utf8(script)?)?;
        Ok(Exit::Done)
    }
}
