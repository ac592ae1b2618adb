use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::Exit;
use crate::cli::terminal::Terminal;
use crate::project::{Language, create};

/// Write a new policy project: one rule with its params, unit tests and cases.
///
/// It is complete: it builds and passes at once, and holds everything that it is made of, the SDK
/// too. Change it from there.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockgate policy new region-floor --lang rust\n  lockgate policy new region-floor --lang python --dir policies/region-floor"
)]
pub(in crate::cli) struct New {
    /// Name of the policy, in kebab-case.
    #[arg(value_name = "NAME")]
    name: String,

    /// What to write it in.
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    lang: Lang,

    /// Folder to write, which must not be there or be empty [default: NAME].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Lang {
    Rust,
    Js,
    Python,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Rust => Self::Rust,
            Lang::Js => Self::Js,
            Lang::Python => Self::Python,
        }
    }
}

impl New {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let folder = self.dir.clone().unwrap_or_else(|| PathBuf::from(&self.name));
        let steps = create(&self.name, self.lang.into(), &folder)?;
        let shown = folder.display();
        let mut text = format!("wrote {shown}, a policy that builds and passes; next\n");
        let _ = writeln!(text, "  cd {shown}");
        let widest = steps.iter().map(|step| step.command.len()).max().unwrap_or(0);
        for step in steps {
            let _ = writeln!(text, "  {:widest$}  # {}", step.command, step.gives);
        }
        terminal.print(&text)?;
        Ok(Exit::Done)
    }
}
