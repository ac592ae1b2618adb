use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::cases::{Recorded, Written};
use crate::cli::Exit;
use crate::cli::record::{RecordOptions, not_on_record, with_record};
use crate::cli::terminal::Terminal;
use crate::decision::Decision;
use crate::evidence::Frozen;
use crate::model::DecisionId;
use crate::record::{self, Options, Record};
use crate::report::read_json;

/// Most bytes of a JSON report.
const MOST_BYTES: u64 = 256 << 20;

/// Make a case of a decision: what a policy was asked, on the very same evidence, and what it said.
///
/// Writes `NAME.yaml` and, beside it, `NAME.snapshot.json` with the evidence. The case holds the
/// digest of the evidence, so that one that was changed is not taken for the decision's.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockgate policy case 0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d --policy model-scan\n\n  lockgate evidence show --canonical evidence > snapshot.json\n  lockgate check fraud/3 --to stage:Production --evidence evidence --output json=decision.json\n  lockgate policy case decision.json --snapshot snapshot.json --policy model-scan --cases cases"
)]
pub(in crate::cli) struct Case {
    /// A decision on record by its id, or the file of a JSON report.
    #[arg(value_name = "ID|FILE")]
    decision: Source,

    /// The evidence that the decision was made on, in place of what is on record.
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,

    /// The policy, by its id in the gate or as the gate names it; needed where there are several.
    #[arg(long, value_name = "ID")]
    policy: Option<String>,

    /// The gate; needed where several have the policy.
    #[arg(long, value_name = "NAME")]
    gate: Option<String>,

    /// The folder that the case is written to.
    #[arg(long, value_name = "DIR", default_value = "cases")]
    cases: PathBuf,

    /// Name of the case [default: made of the model and its version].
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    #[command(flatten)]
    record: RecordOptions,
}

/// Where the decision is.
#[derive(Clone, Debug)]
enum Source {
    Record(DecisionId),
    File(PathBuf),
}

impl FromStr for Source {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| Self::File(PathBuf::from(text)), Self::Record))
    }
}

/// A decision, and its evidence as far as that was kept.
type OnRecord = (Decision, Option<Vec<u8>>);

impl Case {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let (decision, kept, heading) = match &self.decision {
            Source::Record(id) => match self.recorded(*id, terminal)? {
                Ok((decision, kept)) => {
                    (decision, kept, format!("Made of decision {id} with `lockgate policy case`."))
                }
                Err(exit) => return Ok(exit),
            },
            Source::File(path) => {
                let decision = read_report(path)?;
                (decision, None, "Made of a report with `lockgate policy case`.".to_owned())
            }
        };
        let evidence = self.evidence(kept)?;
        let name = match &self.name {
            Some(name) => checked_name(name)?.to_owned(),
            None => {
                let subject = &decision.promotion.subject;
                kebab(&format!("{}-{}", subject.model, subject.version))
            }
        };
        let snapshot = format!("{name}.snapshot.json");
        let recorded = Recorded { decision: &decision, evidence: &evidence };
        let written =
            recorded.case(self.gate.as_deref(), self.policy.as_deref(), (&heading, &snapshot))?;
        let file = self.cases.join(format!("{name}.yaml"));
        self.write(&written, &file, &self.cases.join(&snapshot))?;
        let (case, reference) = (file.display(), &written.reference);
        let mut told =
            format!("wrote {case}; try\n  lockgate policy test {reference} --cases {case}\n");
        if let Some(digest) = written.component {
            told.push_str(&format!("the component that answered had the digest {digest}\n"));
        }
        terminal.print(&told)?;
        Ok(Exit::Done)
    }

    /// A decision on record and its evidence, as far as that was kept; else what is in the way has
    /// been told.
    fn recorded(
        &self,
        id: DecisionId,
        terminal: &Terminal,
    ) -> anyhow::Result<Result<OnRecord, Exit>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start")?;
        let found = runtime.block_on(with_record(
            &self.record,
            Options::read(),
            terminal,
            async |record| find(record, id).await,
        ))?;
        let (recorded, evidence) = match found {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Err(not_on_record(terminal, id))),
            Err(exit) => return Ok(Err(exit)),
        };
        match recorded.decision() {
            Ok(decision) => Ok(Ok((decision, evidence))),
            Err(error) => {
                terminal.error(&error.into());
                Ok(Err(Exit::Undecided))
            }
        }
    }

    fn evidence(&self, kept: Option<Vec<u8>>) -> anyhow::Result<Frozen> {
        match (&self.snapshot, kept) {
            (Some(path), _) => {
                let shown = path.display().to_string();
                let bytes = read_bounded(path)?;
                Ok(Frozen::parse(&bytes, &shown)?)
            }
            (None, Some(bytes)) => Ok(Frozen::parse(&bytes, "snapshot")?),
            (None, None) => bail!(
                "the evidence of the decision is needed; give it with --snapshot, as `lockgate evidence show --canonical` prints it"
            ),
        }
    }

    /// Writes both files; neither takes the place of another.
    fn write(&self, written: &Written, case: &Path, snapshot: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.cases)
            .with_context(|| format!("cannot make `{}`", self.cases.display()))?;
        for (path, text) in [(snapshot, &written.snapshot), (case, &written.case)] {
            let shown = path.display();
            let mut file = File::create_new(path).with_context(|| {
                format!("cannot write `{shown}`; give the case another name with --name")
            })?;
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
                .with_context(|| format!("cannot write `{shown}`"))?;
        }
        Ok(())
    }
}

async fn find(
    record: &Record,
    id: DecisionId,
) -> Result<Option<(record::Recorded, Option<Vec<u8>>)>, record::RecordError> {
    let Some(recorded) = record.get(id).await? else { return Ok(None) };
    let evidence = match recorded.snapshot {
        Some(digest) => record.snapshot(digest).await?,
        None => None,
    };
    Ok(Some((recorded, evidence)))
}

fn read_report(path: &Path) -> anyhow::Result<Decision> {
    let text = String::from_utf8(read_bounded(path)?)
        .with_context(|| format!("`{}` is not UTF-8 text", path.display()))?;
    read_json(&text).with_context(|| format!("`{}` is no JSON report", path.display()))
}

fn read_bounded(path: &Path) -> anyhow::Result<Vec<u8>> {
    use std::io::Read as _;
    let shown = path.display();
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| format!("cannot read `{shown}`"))?;
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read `{shown}`"))?;
    if u64::try_from(bytes.len()).map_or(true, |length| length > MOST_BYTES) {
        bail!("`{shown}` is larger than {MOST_BYTES} bytes");
    }
    Ok(bytes)
}

/// A name that is a file's and no path.
fn checked_name(name: &str) -> anyhow::Result<&str> {
    let plain = !name.is_empty()
        && name.len() <= 200
        && !name.starts_with('.')
        && name.chars().all(|c| !c.is_control() && c != '/' && c != '\\');
    if plain {
        Ok(name)
    } else {
        bail!("`{name}` is no name of a case; write a word such as `eu-drop`")
    }
}

/// Lower-case words with single hyphens between them.
fn kebab(text: &str) -> String {
    let lower = text.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let mut name = words.join("-");
    name.truncate(100);
    if name.is_empty() { "decision".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_of_any_text() {
        assert_eq!(kebab("Fraud Detector/v2-3"), "fraud-detector-v2-3");
        assert_eq!(kebab("模型"), "decision");
        assert!(checked_name("../x").is_err() && checked_name("eu-drop").is_ok());
    }
}
