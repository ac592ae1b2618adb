//! Reports: one decision, told in six formats.
//!
//! A report only tells. It decides nothing, and no exit code comes from here: what a format cannot
//! show, or a destination that cannot be written, leaves the verdict as it is.

mod brief;
mod explanation;
mod github;
mod json;
mod junit;
mod markdown;
mod outline;
mod sarif;
mod table;
mod wording;

use std::fmt;
use std::io;
use std::str::FromStr;

pub(crate) use crate::text::{json as harmless_json, plain};
pub use brief::{brief, warnings};
pub use explanation::explain;
pub use json::{
    Unreadable, line as json_line, movement as json_movement, read as read_json,
    schema as json_schema, subschema as json_subschema,
};
pub(crate) use markdown::{code, prose};
pub(crate) use wording::moved;

use crate::decision::Decision;

/// A format of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// For people at a terminal.
    Table,
    /// For programs; versioned, and complete.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML, for the test view of a CI system.
    Junit,
    /// For a job summary or a comment.
    Markdown,
    /// Workflow commands, which GitHub Actions shows as annotations.
    Github,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] =
        [Self::Table, Self::Json, Self::Sarif, Self::Junit, Self::Markdown, Self::Github];

    /// The word for it on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
            Self::Github => "github",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text that names no format.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a format; write `table`, `json`, `sarif`, `junit`, `markdown` or `github`")]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| {
                format.as_str() == text || (*format == Self::Table && is_for_people(text))
            })
            .ok_or_else(|| UnknownFormat(text.chars().take(100).collect()))
    }
}

/// Whether this is another word for the format for people, as some commands once called it.
pub(crate) fn is_for_people(text: &str) -> bool {
    matches!(text, "text" | "human")
}

/// What a report depends on besides the decision.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Path of the gate file relative to the repository, to which SARIF and GitHub annotations
    /// point.
    pub gate_file: Option<&'a str>,
    /// Whether the table is coloured.
    pub color: bool,
    /// Columns of the terminal; the table uses 40 to 100 of them.
    pub width: usize,
}

/// A report that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the {format} report could not be written: {source}; check that its destination takes it")]
pub struct ReportError {
    /// Which one.
    pub format: Format,
    /// What went wrong.
    pub source: io::Error,
}

/// Writes `decision` to `out`.
///
/// Text that a policy or a piece of evidence brought in cannot act on whatever shows the report:
/// terminal escapes, invisible and direction-changing characters are spelled out, markup and
/// workflow commands are escaped.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(
    format: Format,
    decision: &Decision,
    context: &Context<'_>,
    out: &mut dyn io::Write,
) -> Result<(), ReportError> {
    let text = match format {
        Format::Table => Ok(table::render(decision, context)),
        Format::Json => json::render(decision),
        Format::Sarif => sarif::render(decision, context),
        Format::Junit => junit::render(decision),
        Format::Markdown => Ok(markdown::render(decision)),
        Format::Github => Ok(github::render(decision, context)),
    };
    text.and_then(|text| {
        out.write_all(text.as_bytes())?;
        out.flush()
    })
    .map_err(|source| ReportError { format, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_reads_what_it_writes() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
    }

    #[test]
    fn rejects_an_unknown_format_naming_the_known_ones() {
        let message = "xml".parse::<Format>().unwrap_err().to_string();
        for format in Format::ALL {
            assert!(message.contains(format.as_str()), "{message}");
        }
    }
}
