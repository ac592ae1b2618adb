use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use super::failure::not_loaded;
use super::subject::{Subject, SubjectOptions};
use crate::cases::{self, Case, Folder, Measured, Warm};
use crate::cli::Exit;
use crate::cli::sandbox::SandboxOptions;
use crate::cli::terminal::Terminal;
use crate::policy::PolicyRef;
use crate::wasm::{Cache, Sandbox};

/// Most times a policy is compiled; one that takes long is not compiled that often.
const MOST_COLD: usize = 10;
/// Most times it is loaded from the cache.
const MOST_CACHED: usize = 200;

/// Measure how long a policy takes to load and to run, and what it uses.
///
/// Apart from each other: cold, where it is compiled; cached, where it is loaded from the cache; and
/// warm, where it is loaded and runs its cases in turn. Times are percentiles; fuel is the same on
/// every machine.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockgate policy bench\n  lockgate policy bench std/metric-threshold --cases cases --duration 10s\n  lockgate policy bench region-floor.wasm --runs 1000 --format json"
)]
pub(in crate::cli) struct Bench {
    #[command(flatten)]
    subject: SubjectOptions,

    /// How long warm runs go on, `500ms`, `3s` or `1m`.
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = duration)]
    duration: Duration,

    /// How many warm runs there are, in place of a time.
    #[arg(long, value_name = "N", conflicts_with = "duration", value_parser = clap::value_parser!(u32).range(1..))]
    runs: Option<u32>,

    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    #[command(flatten)]
    sandbox: SandboxOptions,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    #[value(aliases = ["text", "human"])]
    Table,
    /// For programs.
    Json,
}

impl Bench {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let subject = match self.subject.resolve(&self.sandbox, terminal)? {
            Ok(subject) => subject,
            Err(exit) => return Ok(exit),
        };
        let folder = Folder::open(&subject.cases)?;
        let mut cases: Vec<Case> = Vec::new();
        for file in folder.files() {
            match folder.read(file) {
                Ok(case) => cases.push(case),
                Err(diagnostics) => {
                    terminal.tell(format_args!("{diagnostics}\n"));
                    return Ok(Exit::Usage);
                }
            }
        }
        let done = self.measure(&subject, &cases, terminal);
        terminal.end_progress();
        done
    }

    fn measure(
        &self,
        Subject { reference, component, .. }: &Subject,
        cases: &[Case],
        terminal: &Terminal,
    ) -> anyhow::Result<Exit> {
        terminal.progress("compiling");
        let cold = match repeated(None, component, MOST_COLD)? {
            Ok(measured) => measured,
            Err(reason) => return Ok(not_loaded(terminal, reference, &reason)),
        };
        let cache = self.sandbox.cache(terminal);
        let sandbox = Sandbox::new(cache.clone(), |_| ())?;
        let loaded = sandbox.inspect(component).and_then(|inspection| {
            use crate::policy::PolicyLoader as _;
            Ok((inspection, sandbox.load(component)?))
        });
        let (inspection, policy) = match loaded {
            Ok(loaded) => loaded,
            Err(reason) => return Ok(not_loaded(terminal, reference, &reason)),
        };
        terminal.progress("loading from the cache");
        let cached = match cache {
            Some(cache) => repeated(Some(cache), component, MOST_CACHED)?.ok(),
            None => None,
        };
        let mut told = Instant::now();
        let warm = Warm::measure(policy.as_ref(), cases, |runs, elapsed| {
            if told.elapsed() > Duration::from_millis(200) {
                terminal.progress(format_args!("{runs} runs"));
                told = Instant::now();
            }
            match self.runs {
                Some(wanted) => u32::try_from(runs).map_or(true, |runs| runs >= wanted),
                None => elapsed >= self.duration,
            }
        });
        terminal.end_progress();
        let reference = reference.to_string();
        let bench = cases::Bench {
            reference: &reference,
            description: policy.description(),
            digest: inspection.digest,
            size: inspection.size,
            cold,
            cached,
            warm,
        };
        terminal.print(&match self.format {
            Format::Table => bench.text(),
            Format::Json => bench.json()?,
        })?;
        Ok(Exit::Done)
    }
}

/// Times of loading a policy, as often as two seconds allow and at least once.
fn repeated(
    cache: Option<Cache>,
    reference: &PolicyRef,
    most: usize,
) -> anyhow::Result<Result<Measured, crate::model::Undecided>> {
    use crate::policy::PolicyLoader as _;
    let sandbox = Sandbox::new(cache, |_| ())?;
    let mut measured = Measured::default();
    let start = Instant::now();
    while measured.runs() < most && (measured.runs() == 0 || start.elapsed().as_secs() < 2) {
        let begun = Instant::now();
        if let Err(reason) = sandbox.load(reference) {
            return Ok(Err(reason));
        }
        measured.add(begun.elapsed());
    }
    Ok(Ok(measured))
}

/// A time in words: `500ms`, `3s` or `1m`; an hour at most.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        _ => 0,
    };
    digits
        .parse::<u32>()
        .ok()
        .map(|number| Duration::from_millis(u64::from(number) * milliseconds))
        .filter(|time| !time.is_zero() && *time <= Duration::from_secs(3600))
        .ok_or_else(|| "write a time such as `500ms`, `3s` or `1m`, at most `60m`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_its_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for text in ["", "3", "s", "0s", "61m", "1h", "-1s", "9999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
