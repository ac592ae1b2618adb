//! Reports that go to files.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, bail};

/// A report and the file it goes to.
#[derive(Clone, Debug)]
pub(super) struct Output<F> {
    pub(super) format: F,
    pub(super) path: PathBuf,
}

impl<F: FromStr<Err: Display>> FromStr for Output<F> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((format, path)) if !path.is_empty() => {
                let format = format.parse::<F>().map_err(|error| error.to_string())?;
                Ok(Self { format, path: PathBuf::from(path) })
            }
            _ => Err("write it as FORMAT=FILE, such as `junit=lockgate.xml`".to_owned()),
        }
    }
}

impl<F> Output<F> {
    /// Writes a report to its file, in place of what is there or behind it.
    pub(super) fn write(
        &self,
        append: bool,
        report: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let shown = self.path.display();
        let mut options = File::options();
        options.create(true).write(true).append(append).truncate(!append);
        let written = || {
            let mut writer = BufWriter::new(options.open(&self.path)?);
            report(&mut writer)?;
            writer.flush()?;
            anyhow::Ok(())
        };
        written().with_context(|| format!("cannot write `{shown}`"))
    }
}

/// Refuses a file that two reports would go to: the second would take the place of the first.
pub(super) fn refuse_twins<F>(outputs: &[Output<F>]) -> anyhow::Result<()> {
    let mut files = BTreeSet::new();
    for Output { path, .. } in outputs {
        if !files.insert(whole(path)) {
            bail!("--output names `{}` twice; give each report its own file", path.display());
        }
    }
    Ok(())
}

/// The one path of a file, whatever links and dots the given one takes; of one that is not there
/// yet, as far as its folder is.
fn whole(path: &Path) -> PathBuf {
    let whole = path.canonicalize().or_else(|_| {
        let absolute = std::path::absolute(path)?;
        match (absolute.parent(), absolute.file_name()) {
            (Some(folder), Some(name)) => Ok(folder.canonicalize()?.join(name)),
            _ => Ok(absolute),
        }
    });
    whole.unwrap_or_else(|_: std::io::Error| path.to_owned())
}
