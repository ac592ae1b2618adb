use clap::{Args, Subcommand, ValueEnum};

use super::Exit;
use super::gate_file::{GateFile, Told, load_policies};
use super::policy;
use super::sandbox::SandboxOptions;
use super::sources::SourceOptions;
use super::terminal::Terminal;
use crate::{cases, config, evidence, project, report};

/// Check the gate file, or print the JSON Schemas of lockgate's files.
#[derive(Debug, Subcommand)]
pub(super) enum Config {
    Check(Check),
    Schema(Schema),
}

impl Config {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        match self {
            Self::Check(command) => command.run(terminal),
            Self::Schema(command) => command.run(terminal),
        }
    }
}

/// Check the gate file, load every policy it names and hold their params against their schemas.
///
/// Exits with 0 when all is well and with 2 when not, after telling everything that is wrong.
#[derive(Args, Debug)]
pub(super) struct Check {
    #[command(flatten)]
    gate_file: GateFile,

    #[command(flatten)]
    sandbox: SandboxOptions,

    #[command(flatten)]
    sources: SourceOptions,
}

impl Check {
    fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let cache = self.sandbox.cache(terminal);
        let sandbox = || self.sandbox.sandbox_for_few(cache.clone(), terminal);
        let Ok(config) = self.gate_file.load(terminal, cache.as_ref(), || sandbox().ok())? else {
            return Ok(Exit::Usage);
        };
        let sandbox = sandbox()?;
        let gates = config.gates.iter().enumerate();
        let sources = self.sources.sources(&self.sandbox, cache.as_ref(), terminal);
        let policies = match load_policies(&config, gates, &sandbox, &sources, terminal) {
            Ok(policies) => policies,
            Err(Told) => return Ok(Exit::Usage),
        };
        let mut sound = true;
        for gate in &config.gates {
            for (guard, invocation) in gate.policies() {
                if let Err(reason) = policies.get(&invocation.reference) {
                    let error = anyhow::anyhow!(
                        "gate `{}`, policy `{}`: {reason}",
                        gate.gate.name,
                        guard.id
                    );
                    terminal.error(&error);
                    sound = false;
                }
            }
        }
        if !sound {
            return Ok(Exit::Usage);
        }
        let count = |number: usize, word: &str| match number {
            1 => format!("1 {word}"),
            _ => format!("{number} {word}s"),
        };
        let policies = config.gates.iter().map(|gate| gate.invocations.len()).sum();
        terminal.print(&format!(
            "{}: {}, {}, {}: all well\n",
            self.gate_file.path.display(),
            count(config.gates.len(), "gate"),
            match policies {
                1 => "1 policy".to_owned(),
                _ => format!("{policies} policies"),
            },
            count(config.waivers.len(), "waiver"),
        ))?;
        Ok(Exit::Done)
    }
}

/// Print a JSON Schema, for editors and for checking.
#[derive(Args, Debug)]
pub(super) struct Schema {
    /// Of which file.
    #[arg(value_enum, default_value_t)]
    of: Document,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Document {
    /// The gate file.
    #[default]
    Gate,
    /// lockgate's own evidence JSON.
    Evidence,
    /// The JSON report.
    Report,
    /// `policy.yaml` of a policy project.
    Policy,
    /// A case of a policy.
    Case,
    /// What `lockgate policy test` prints as JSON.
    Cases,
    /// What `lockgate policy bench` prints as JSON.
    Bench,
    /// What `lockgate policy inspect` prints as JSON; `list` prints an array of these.
    Inspection,
}

impl Schema {
    fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let schema = match self.of {
            Document::Gate => config::schema(),
            Document::Evidence => evidence::schema(),
            Document::Report => report::json_schema(),
            Document::Policy => project::schema(),
            Document::Case => cases::schema(),
            Document::Cases => cases::report::schema(),
            Document::Bench => cases::Bench::schema(),
            Document::Inspection => policy::schema(),
        };
        terminal.print(&(serde_json::to_string_pretty(&schema)? + "\n"))?;
        Ok(Exit::Done)
    }
}
