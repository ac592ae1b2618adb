//! How long a policy takes, and what: figures for people and programs.

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use super::Case;
use super::report::{grouped, spent};
use crate::model::{Description, Digest, Undecided};
use crate::policy::{Evaluation, Policy};
use crate::report::{harmless_json, plain};

/// Samples that are kept for percentiles; beyond, only the count goes on.
const MOST_SAMPLES: usize = 2_000_000;

/// The figures of one policy.
pub struct Bench<'a> {
    /// The policy as it was named.
    pub reference: &'a str,
    /// What it says of itself.
    pub description: &'a Description,
    /// Digest of its component.
    pub digest: Digest,
    /// Size of its component, bytes.
    pub size: u64,
    /// Loading it where nothing is kept: it is compiled.
    pub cold: Measured,
    /// Loading it from the cache; none where nothing is kept.
    pub cached: Option<Measured>,
    /// Running it.
    pub warm: Warm,
}

/// Times of several runs of one thing.
#[derive(Clone, Debug, Default)]
pub struct Measured(Vec<Duration>);

impl Measured {
    /// Adds the time of one run.
    pub fn add(&mut self, time: Duration) {
        if self.0.len() < MOST_SAMPLES {
            self.0.push(time);
        }
    }

    /// How many runs there were.
    #[must_use]
    pub const fn runs(&self) -> usize {
        self.0.len()
    }

    /// The times below which so many of a hundred runs stay; none without a run.
    #[must_use]
    pub fn percentiles(&self) -> Option<Percentiles> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = |percent: usize| {
            let rank = sorted.len().saturating_mul(percent).div_ceil(100);
            sorted.get(rank.saturating_sub(1)).copied()
        };
        Some(Percentiles { p50: rank(50)?, p90: rank(90)?, p99: rank(99)?, max: rank(100)? })
    }
}

/// Times below which so many of a hundred runs stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentiles {
    /// Half of them.
    pub p50: Duration,
    /// Nine of ten.
    pub p90: Duration,
    /// All but one in a hundred.
    pub p99: Duration,
    /// All of them.
    pub max: Duration,
}

/// Runs of a policy that is loaded.
#[derive(Clone, Debug, Default)]
pub struct Warm {
    /// Wall-clock times.
    pub times: Measured,
    /// Least and most fuel of one run.
    pub fuel: (u64, u64),
    /// Most linear memory held at a time, bytes.
    pub peak_memory: u64,
    /// Number of cases that were run in turn.
    pub cases: usize,
    /// Names of cases that came to no answer, and the code of why.
    pub undecided: Vec<(String, &'static str)>,
}

impl Warm {
    /// Runs cases in turn until `enough` says so of the number of runs and the time since the
    /// first; each at least once.
    #[must_use]
    pub fn measure(
        policy: &dyn Policy,
        cases: &[Case],
        mut enough: impl FnMut(usize, Duration) -> bool,
    ) -> Self {
        let mut warm = Self { fuel: (u64::MAX, 0), cases: cases.len(), ..Self::default() };
        let start = Instant::now();
        for (run, case) in cases.iter().cycle().enumerate() {
            if run >= cases.len() && enough(run, start.elapsed()) {
                break;
            }
            let Evaluation { result, usage, .. } = case.evaluate(policy);
            warm.times.add(usage.elapsed);
            warm.fuel = (warm.fuel.0.min(usage.fuel), warm.fuel.1.max(usage.fuel));
            warm.peak_memory = warm.peak_memory.max(usage.peak_memory);
            if let (Err(reason), true) = (result, run < cases.len()) {
                let refused = matches!(
                    reason,
                    Undecided::ParamsRefused { .. } | Undecided::EvidenceRefused { .. }
                );
                if !refused {
                    warm.undecided.push((case.name().to_owned(), reason.code()));
                }
            }
        }
        warm
    }
}

impl Bench<'_> {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { description, warm, .. } = self;
        let mut text = format!(
            "{} {} · {} · {} KiB\n",
            description.name,
            description.version,
            plain(self.reference),
            grouped(self.size.div_ceil(1024))
        );
        text.push_str(&format!(
            "{:21}{:>8}{:>11}{:>11}{:>11}{:>11}\n",
            "", "runs", "p50", "p90", "p99", "max"
        ));
        let rows = [
            ("cold (compile)", Some(&self.cold)),
            ("cached (map)", self.cached.as_ref()),
            ("warm (evaluate)", Some(&warm.times)),
        ];
        for (label, measured) in rows {
            let figures = measured.and_then(|measured| {
                let Percentiles { p50, p90, p99, max } = measured.percentiles()?;
                let times = [p50, p90, p99, max].map(|time| format!("{:>11}", spent(time)));
                let runs = u64::try_from(measured.runs()).unwrap_or(u64::MAX);
                Some(format!("{:>8}{}", grouped(runs), times.concat()))
            });
            let figures = figures.unwrap_or_else(|| format!("{:>8}", "-"));
            text.push_str(&format!("  {label:19}{figures}\n"));
        }
        let fuel = match warm.fuel {
            (least, most) if least == most => grouped(most),
            (least, most) => format!("{} to {}", grouped(least), grouped(most)),
        };
        text.push_str(&format!("  fuel a run         {fuel}\n"));
        let kib = grouped(warm.peak_memory.div_ceil(1024));
        text.push_str(&format!("  memory at most     {kib} KiB\n"));
        text.push_str(&format!("  cases              {}\n", warm.cases));
        for (name, code) in &warm.undecided {
            text.push_str(&format!("  undecided          {}: {code}\n", plain(name)));
        }
        text
    }

    /// For programs.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn json(&self) -> std::io::Result<String> {
        let document = v1::Bench {
            schema: v1::SchemaName::V1,
            lockgate: env!("CARGO_PKG_VERSION"),
            policy: v1::Policy {
                reference: self.reference.to_owned(),
                name: self.description.name.clone(),
                version: self.description.version.clone(),
                digest: self.digest.to_string(),
                size: self.size,
            },
            cold: v1::Times::of(&self.cold),
            cached: self.cached.as_ref().and_then(v1::Times::of),
            warm: v1::Times::of(&self.warm.times),
            fuel: v1::Fuel { least: self.warm.fuel.0, most: self.warm.fuel.1 },
            peak_memory: self.warm.peak_memory,
            cases: self.warm.cases,
            undecided: self
                .warm
                .undecided
                .iter()
                .map(|(case, code)| v1::Undecided { case: case.clone(), code })
                .collect(),
        };
        Ok(harmless_json(serde_json::to_string_pretty(&document)?) + "\n")
    }

    /// The JSON Schema (2020-12) of [`Self::json`]; published as `sdk/schema/bench.schema.json`.
    #[must_use]
    pub fn schema() -> serde_json::Value {
        SchemaSettings::draft2020_12()
            .for_serialize()
            .into_generator()
            .into_root_schema_for::<v1::Bench>()
            .to_value()
    }
}

/// The JSON, version 1. Within the version keys may be added, and nothing is taken away or changes
/// its meaning.
mod v1 {
    use super::{Duration, JsonSchema, Measured, Percentiles, Serialize};

    /// How long a policy takes, and what.
    #[derive(Serialize, JsonSchema)]
    #[schemars(title = "lockgate bench")]
    pub(super) struct Bench {
        /// Name and version of this format.
        pub(super) schema: SchemaName,
        /// Version of lockgate that wrote it.
        pub(super) lockgate: &'static str,
        /// The policy.
        pub(super) policy: Policy,
        /// Loading it where nothing is kept: it is compiled.
        pub(super) cold: Option<Times>,
        /// Loading it from the cache; null where nothing is kept.
        pub(super) cached: Option<Times>,
        /// Running it once it is loaded.
        pub(super) warm: Option<Times>,
        /// Fuel of one run; the same on every machine.
        pub(super) fuel: Fuel,
        /// Most linear memory held at a time, bytes.
        pub(super) peak_memory: u64,
        /// Number of cases that were run in turn.
        pub(super) cases: usize,
        /// Cases that came to no answer.
        pub(super) undecided: Vec<Undecided>,
    }

    /// Name and version of the format.
    #[derive(Serialize, JsonSchema)]
    pub(super) enum SchemaName {
        #[serde(rename = "lockgate.dev/bench/v1")]
        V1,
    }

    /// The policy.
    #[derive(Serialize, JsonSchema)]
    pub(super) struct Policy {
        /// As it was named, `std/NAME` or a path.
        pub(super) reference: String,
        /// Name it gives itself.
        pub(super) name: String,
        /// Version it gives itself.
        pub(super) version: String,
        /// SHA-256 of the component, `sha256:` and 64 hex digits.
        pub(super) digest: String,
        /// Size of the component, bytes.
        pub(super) size: u64,
    }

    /// Wall-clock times, nanoseconds, below which so many of a hundred runs stay.
    #[derive(Serialize, JsonSchema)]
    pub(super) struct Times {
        /// Number of runs.
        pub(super) runs: usize,
        /// Half of them.
        pub(super) p50_ns: u64,
        /// Nine of ten.
        pub(super) p90_ns: u64,
        /// All but one in a hundred.
        pub(super) p99_ns: u64,
        /// All of them.
        pub(super) max_ns: u64,
    }

    /// Fuel of one run.
    #[derive(Serialize, JsonSchema)]
    pub(super) struct Fuel {
        /// Of the run that took least.
        pub(super) least: u64,
        /// Of the run that took most.
        pub(super) most: u64,
    }

    /// A case that came to no answer.
    #[derive(Serialize, JsonSchema)]
    pub(super) struct Undecided {
        /// Its name.
        pub(super) case: String,
        /// Stable code of the reason.
        pub(super) code: &'static str,
    }

    impl Times {
        pub(super) fn of(measured: &Measured) -> Option<Self> {
            let Percentiles { p50, p90, p99, max } = measured.percentiles()?;
            let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            Some(Self {
                runs: measured.runs(),
                p50_ns: nanos(p50),
                p90_ns: nanos(p90),
                p99_ns: nanos(p99),
                max_ns: nanos(max),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let mut measured = Measured::default();
        assert_eq!(measured.percentiles(), None);
        for micros in (1..=200).rev() {
            measured.add(Duration::from_micros(micros));
        }
        let Percentiles { p50, p90, p99, max } = measured.percentiles().unwrap();
        assert_eq!([p50, p90, p99, max].map(|time| time.as_micros()), [100, 180, 198, 200]);
        let mut one = Measured::default();
        one.add(Duration::from_micros(7));
        assert_eq!(one.percentiles().unwrap().p50, one.percentiles().unwrap().max);
    }
}
