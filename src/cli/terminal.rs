//! Standard output and standard error: colour only where it is wanted, and no failure of theirs
//! that changes an exit code.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

use crate::report::plain;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const NOTE: Style = AnsiColor::Cyan.on_default().bold();

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    Always,
    Never,
}

/// Standard output that takes nothing, as on a full disk. Whoever reads it misses what there is to
/// be read, so it ends the command as what could not be judged does.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output: {0}")]
pub(super) struct Unprintable(io::Error);

/// The two streams of the process.
#[derive(Clone, Copy)]
pub(super) struct Terminal {
    choice: ColorChoice,
}

impl Terminal {
    pub(super) const fn new(color: Color) -> Self {
        let choice = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self { choice }
    }

    /// Whether standard output takes colour.
    pub(super) fn colored(&self) -> bool {
        match self.choice {
            ColorChoice::Auto => AutoStream::choice(&io::stdout()) != ColorChoice::Never,
            ColorChoice::Always | ColorChoice::AlwaysAnsi => true,
            ColorChoice::Never => false,
        }
    }

    /// Whether standard error takes colour.
    pub(super) fn colored_errors(&self) -> bool {
        match self.choice {
            ColorChoice::Auto => AutoStream::choice(&io::stderr()) != ColorChoice::Never,
            ColorChoice::Always | ColorChoice::AlwaysAnsi => true,
            ColorChoice::Never => false,
        }
    }

    /// Columns of the terminal, 100 where there is none.
    pub(super) fn width(&self) -> usize {
        rustix::termios::tcgetwinsize(io::stdout())
            .ok()
            .map(|size| usize::from(size.ws_col))
            .filter(|columns| *columns > 0)
            .unwrap_or(100)
    }

    /// Writes to standard output.
    ///
    /// A reader that has gone away (`| head`) has read what it wanted to.
    pub(super) fn print(&self, text: &str) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(|error| Unprintable(error).into()),
        }
    }

    pub(super) fn error(&self, error: &anyhow::Error) {
        self.say(ERROR, "error", &format!("{error:#}"));
    }

    pub(super) fn warning(&self, text: impl Display) {
        self.say(WARNING, "warning", &text.to_string());
    }

    pub(super) fn note(&self, text: impl Display) {
        self.say(NOTE, "note", &text.to_string());
    }

    /// What is being waited for, in a line that the next one takes the place of; only where
    /// somebody is looking.
    pub(super) fn progress(&self, text: impl Display) {
        let text: String = plain(&text.to_string()).chars().take(self.width()).collect();
        self.rewrite(&text);
    }

    /// Clears the line of [`Self::progress`].
    pub(super) fn end_progress(&self) {
        self.rewrite("");
    }

    fn rewrite(&self, line: &str) {
        let mut out = io::stderr().lock();
        if out.is_terminal() {
            // Moving on a terminal is no colour, so it is not kept from one that wants none.
            let _ = write!(out, "\r\x1b[2K{line}").and_then(|()| out.flush());
        }
    }

    /// Several lines as they are.
    pub(super) fn tell(&self, text: impl Display) {
        let mut out = AutoStream::new(io::stderr().lock(), self.choice);
        // Nobody is left to be told that standard error is closed.
        let _ = write!(out, "{text}");
    }

    fn say(&self, style: Style, label: &str, text: &str) {
        // It may quote a file, a policy or an argument.
        let text = plain(text);
        self.tell(format_args!("{style}{label}:{style:#} {text}\n"));
    }
}
