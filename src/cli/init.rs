use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use super::Exit;
use super::gate_file::DEFAULT;
use super::terminal::Terminal;
use crate::config::template;

/// Write a first gate file with comments.
#[derive(Args, Debug)]
pub(super) struct Init {
    /// The file to write. One that is there already is left alone.
    #[arg(value_name = "FILE", default_value = DEFAULT)]
    path: PathBuf,
}

impl Init {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let shown = self.path.display();
        let mut file = match File::create_new(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                bail!("`{shown}` is there already; remove it first, or name another file")
            }
            Err(error) => return Err(error).with_context(|| format!("cannot write `{shown}`")),
        };
        file.write_all(template().as_bytes())
            .and_then(|()| file.sync_all())
            .with_context(|| format!("cannot write `{shown}`"))?;
        terminal.print(&format!(
            "wrote {shown}; read it through, then try\n  lockgate config check --config {shown}\n"
        ))?;
        Ok(Exit::Done)
    }
}
