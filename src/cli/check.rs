use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{ArgGroup, Args};

use super::Exit;
use super::gate_file::{self, GateFile, Told, load_policies};
use super::output::{self, Output};
use super::registry::{Opened, Read, Registry};
use super::sandbox::SandboxOptions;
use super::sources::SourceOptions;
use super::terminal::Terminal;
use crate::config::ConfiguredGate;
use crate::decision::{Decision, Verdict};
use crate::evaluation::{Case, MatchedGate, evaluate_across};
use crate::evidence::{About, Collector, Frozen, Side};
use crate::model::{Digest, ModelVersion, Promotion, Target, Timestamp, Undecided};
use crate::registry::mlflow;
use crate::report::{self, Context, Format};

/// Judge whether a model version may move to a target.
///
/// Reads the gate file and the evidence, runs every policy of every gate that matches, and says
/// allow or deny. The exit code is the answer: 0 allow, 1 deny, 2 wrong usage or configuration,
/// 3 undecided.
#[derive(Args, Debug)]
#[command(
    override_usage = "lockgate check [OPTIONS] --to <TARGET> <MODEL/VERSION>",
    group(ArgGroup::new("sources").args(["evidence", "registry"]).required(true).multiple(true)),
    after_help = "Examples:\n  lockgate check fraud-detector/3 --to stage:Production --evidence evidence/\n  lockgate check fraud-detector/3 --to alias:champion --registry mlflow=https://mlflow.example.org\n  lockgate check fraud-detector/3 --to alias:champion --evidence evidence/ --baseline champion/ \\\n      --requested-by \"$GITHUB_ACTOR\" --format github \\\n      --output sarif=lockgate.sarif junit=lockgate.xml"
)]
pub(super) struct Check {
    /// The model version that is to move.
    #[arg(value_name = "MODEL/VERSION")]
    subject: Subject,

    /// Where it is to go: `stage:Production`, `alias:champion` or `env:prod`; a bare word is a
    /// stage.
    #[arg(long, value_name = "TARGET")]
    to: Target,

    /// Where it is now.
    #[arg(long, value_name = "TARGET")]
    from: Option<Target>,

    /// Evidence about this version: files, or directories of files.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    evidence: Vec<PathBuf>,

    /// The registry that holds the version, `mlflow=https://mlflow.example.org`: evidence is read
    /// from it, and from its version of the target for comparison. Credentials are taken from
    /// `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, or `MLFLOW_TRACKING_TOKEN`.
    #[arg(long, value_name = "KIND=URL")]
    registry: Option<Registry>,

    /// Metrics of the version that it would replace: files, or directories of files.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    baseline: Vec<PathBuf>,

    /// Who asks.
    #[arg(long, value_name = "NAME")]
    requested_by: Option<String>,

    /// Digest of the model's artifacts. Evidence that speaks of another artifact stops the
    /// decision. Repeat it where evidence is about several, such as the model and its image; the
    /// first is the model's.
    #[arg(long, value_name = "sha256:HEX")]
    digest: Vec<Digest>,

    /// Evaluation time, `2026-11-23` or RFC 3339, for a decision that can be reproduced
    /// [default: now].
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,

    /// What is printed: `table`, `json`, `sarif`, `junit`, `markdown` or `github`.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,

    /// Also write a report to a file. Can be given several times.
    #[arg(short, long, value_name = "FORMAT=FILE", num_args = 1..)]
    output: Vec<Output<Format>>,

    /// Add to the files of --output instead of replacing them, as GITHUB_STEP_SUMMARY wants it.
    #[arg(long, requires = "output")]
    append: bool,

    #[command(flatten)]
    gate_file: GateFile,

    #[command(flatten)]
    sandbox: SandboxOptions,

    #[command(flatten)]
    sources: SourceOptions,
}

/// `MODEL/VERSION`. A model's name may have slashes of its own.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) model: String,
    pub(super) version: String,
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |part: &str| {
            !part.is_empty() && part.trim() == part && !part.chars().any(char::is_control)
        };
        match text.rsplit_once('/') {
            Some((model, version)) if plain(model) && plain(version) => {
                Ok(Self { model: model.to_owned(), version: version.to_owned() })
            }
            _ => Err("write it as MODEL/VERSION, such as `fraud-detector/3`".to_owned()),
        }
    }
}

impl Check {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        output::refuse_twins(&self.output)?;
        match self.decide(terminal)? {
            Ok(decision) => self.report(&decision, terminal),
            Err(Told) => Ok(Exit::Usage),
        }
    }

    fn decide(&self, terminal: &Terminal) -> anyhow::Result<Result<Decision, Told>> {
        let cache = self.sandbox.cache(terminal);
        let sandbox = || self.sandbox.sandbox_for_few(cache.clone(), terminal);
        let config = match self.gate_file.load(terminal, cache.as_ref(), || sandbox().ok())? {
            Ok(config) => config,
            Err(told) => return Ok(Err(told)),
        };
        let promotion = self.promotion()?;
        let gates: Vec<(usize, &ConfiguredGate)> =
            config.matching(&promotion.subject.model, &promotion.target).collect();
        let assignments = gate_file::assignments(&config.evidence)?;
        let read = Read { assignments, naming: &config.naming, terminal };
        let registry = self.registry.as_ref().map(Registry::open).transpose()?;

        let sandbox = sandbox()?;
        let sources = self.sources.sources(&self.sandbox, cache.as_ref(), terminal);
        // One after the other: mapping policies takes about as long as a thread takes to start.
        let policies =
            match load_policies(&config, gates.iter().copied(), &sandbox, &sources, terminal) {
                Ok(policies) => policies,
                Err(told) => return Ok(Err(told)),
            };
        let snapshot = self.collect(&read, registry).map(|frozen| (frozen.snapshot, frozen.digest));
        let matched: Vec<MatchedGate<'_>> = gates
            .iter()
            .map(|(_, gate)| MatchedGate { gate: &gate.gate, invocations: &gate.invocations })
            .collect();
        let evidence = snapshot.as_ref().map(|(snapshot, _)| Arc::clone(snapshot)).ok();
        let case = Case {
            promotion,
            gate_file: config.digest(),
            snapshot,
            gates: &matched,
            waivers: &config.waivers,
            unmatched: config.unmatched,
            until: None,
        };
        let decision = evaluate_across(case, &policies);
        // The process ends soon, and the kernel takes all of it back at once.
        std::mem::forget((policies, sandbox, evidence, matched));
        std::mem::forget(config);
        Ok(Ok(decision))
    }

    fn promotion(&self) -> anyhow::Result<Promotion> {
        Ok(Promotion {
            subject: ModelVersion {
                registry: match &self.registry {
                    Some(_) => mlflow::Caller::from_env()?.registry(),
                    None => "local".to_owned(),
                },
                model: self.subject.model.clone(),
                version: self.subject.version.clone(),
                digest: self.digest.first().copied(),
            },
            source: self.from.clone(),
            target: self.to.clone(),
            requested_by: self.requested_by.clone(),
            at: match self.at {
                Some(at) => at,
                None => now()?,
            },
        })
    }

    fn about(&self) -> About {
        About {
            model: Some(self.subject.model.clone()),
            version: Some(self.subject.version.clone()),
            digests: self.digest.clone(),
            target: self.to.clone(),
        }
    }

    fn collect(&self, read: &Read<'_>, registry: Option<Opened>) -> Result<Frozen, Vec<Undecided>> {
        let Subject { model, version } = &self.subject;
        let mut collector = Collector::new(self.about(), read.assignments.clone());
        if let Some(registry) = registry {
            let mut moved = mlflow::Move::asked(model, version, &self.to, read.naming);
            moved.subject.digest = self.digest.first().copied();
            registry.gather(&moved, read)?.add_to(&mut collector);
        }
        for path in &self.evidence {
            collector.add_path(path, Side::Candidate);
        }
        for path in &self.baseline {
            collector.add_path(path, Side::Baseline);
        }
        collector.freeze().map_err(|errors| errors.into_iter().map(Into::into).collect())
    }

    /// Tells the decision everywhere. The exit code is the verdict's; a report that could not be
    /// written turns an allow into undecided, as somebody relies on finding it.
    fn report(&self, decision: &Decision, terminal: &Terminal) -> anyhow::Result<Exit> {
        let gate_file = gate_file::shown(&self.gate_file.path);
        let context = Context {
            gate_file: Some(&gate_file),
            color: terminal.colored(),
            width: terminal.width(),
        };
        let mut verdict = decision.verdict;
        for output in &self.output {
            if let Err(error) = self.write(output, decision, &context) {
                terminal.error(&error);
                verdict = verdict.max(Verdict::Undecided);
            }
        }
        let mut text = Vec::new();
        let printed = report::write(self.format, decision, &context, &mut text)
            .context("cannot make the report")
            .and_then(|()| terminal.print(&String::from_utf8(text)?));
        if let Err(error) = printed {
            terminal.error(&error);
            verdict = verdict.max(Verdict::Undecided);
        }
        if verdict != decision.verdict {
            terminal
                .warning("a report is missing, so the exit code says undecided instead of allow");
        }
        Ok(verdict.into())
    }

    fn write(
        &self,
        output: &Output<Format>,
        decision: &Decision,
        context: &Context<'_>,
    ) -> anyhow::Result<()> {
        output.write(self.append, |writer| {
            let context = Context { color: false, ..*context };
            Ok(report::write(output.format, decision, &context, writer)?)
        })
    }
}

/// The clock, read once for the whole decision.
pub(super) fn now() -> anyhow::Result<Timestamp> {
    let since_epoch = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .context("this machine's clock is before 1970; give the time with --at")?;
    Timestamp::from_seconds(since_epoch.as_secs())
        .context("this machine's clock is past the year 9999; give the time with --at")
}
