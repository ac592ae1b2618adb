//! What the server holds, second by second.

use std::fmt::Write as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::load::Load;
use super::server::Server;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    at: f64,
    /// Resident and proportional, MiB.
    pub(crate) memory: f64,
    proportional: f64,
    anonymous: f64,
    pub(crate) files: usize,
    pub(crate) threads: usize,
    answers: usize,
    /// Milliseconds.
    median: f64,
    tail: f64,
}

impl Sample {
    /// Values of a server that is just being started are those of nothing.
    pub(crate) fn take(start: Instant, server: &Server, load: &Load<'_>) -> Self {
        let folder = format!("/proc/{}", server.pid());
        let read = |name: &str| std::fs::read_to_string(format!("{folder}/{name}"));
        let rollup = read("smaps_rollup").unwrap_or_default();
        let status = read("status").unwrap_or_default();
        let times = load.times();
        let part = |share: usize| {
            let time = times.get((times.len() * share / 100).min(times.len().saturating_sub(1)));
            time.copied().unwrap_or_default().as_secs_f64() * 1e3
        };
        Self {
            at: start.elapsed().as_secs_f64(),
            memory: field(&rollup, "Rss:") / 1024.0,
            proportional: field(&rollup, "Pss:") / 1024.0,
            anonymous: field(&rollup, "Anonymous:") / 1024.0,
            files: std::fs::read_dir(format!("{folder}/fd")).map_or(0, Iterator::count),
            threads: status
                .lines()
                .find_map(|line| line.strip_prefix("Threads:"))
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or_default(),
            answers: times.len(),
            median: part(50),
            tail: part(99),
        }
    }

    /// The same once connections that were left are closed.
    pub(crate) fn settled(start: Instant, server: &Server, load: &Load<'_>) -> Self {
        thread::sleep(Duration::from_secs(7));
        Self::take(start, server, load)
    }
}

fn field(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

#[derive(Default)]
pub(crate) struct Curve(Vec<Sample>);

impl Curve {
    pub(crate) fn add(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    pub(crate) fn since(&self, time: Duration) -> Self {
        let from = time.as_secs_f64();
        Self(self.0.iter().filter(|sample| sample.at >= from).copied().collect())
    }

    pub(crate) fn seconds(&self) -> u64 {
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else { return 0 };
        Duration::from_secs_f64(last.at - first.at).as_secs()
    }

    pub(crate) fn files(&self) -> (usize, usize) {
        ends(self.0.iter().map(|sample| sample.files))
    }

    pub(crate) fn threads(&self) -> (usize, usize) {
        ends(self.0.iter().map(|sample| sample.threads))
    }

    /// By how much of itself memory grows from the first to the last sample, by the line that
    /// lies nearest to them all.
    pub(crate) fn growth(&self) -> f64 {
        let count = self.0.len() as f64;
        let mean = |of: fn(&Sample) -> f64| self.0.iter().map(of).sum::<f64>() / count;
        let (time, memory) = (mean(|sample| sample.at), mean(|sample| sample.memory));
        let (mut over, mut under) = (0.0, 0.0);
        for sample in &self.0 {
            over += (sample.at - time) * (sample.memory - memory);
            under += (sample.at - time).powi(2);
        }
        if under == 0.0 { 0.0 } else { over / under * self.seconds() as f64 / memory }
    }

    /// Puts every sample into `target/soak/curve.csv`.
    pub(crate) fn write(&self) {
        let mut text =
            "second,rss_mib,pss_mib,anonymous_mib,files,threads,answers,p50_ms,p99_ms\n".to_owned();
        for sample in &self.0 {
            let Sample { at, memory, proportional, anonymous, files, threads, .. } = sample;
            let Sample { answers, median, tail, .. } = sample;
            writeln!(text, "{at:.1},{memory:.2},{proportional:.2},{anonymous:.2},{files},{threads},{answers},{median:.2},{tail:.2}").unwrap();
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/soak");
        std::fs::create_dir_all(&folder).unwrap();
        let place = folder.join("curve.csv");
        std::fs::write(&place, text).unwrap();
        println!("\nevery second: {}", place.display());
    }

    /// Some forty lines, each the mean of a piece of time.
    pub(crate) fn draw(&self) {
        let most = self.0.iter().map(|sample| sample.memory).fold(1.0, f64::max);
        println!("\n     s    MiB  files threads answers/s  p50 ms  p99 ms  memory");
        for piece in self.0.chunks(self.0.len().div_ceil(40).max(1)) {
            let count = piece.len() as f64;
            let mean = |of: fn(&Sample) -> f64| piece.iter().map(of).sum::<f64>() / count;
            let memory = mean(|sample| sample.memory);
            let bar = "█".repeat((memory / most * 40.0) as usize);
            println!(
                "{:6.0} {memory:6.1} {:6.0} {:7.0} {:9.0} {:7.2} {:7.2}  {bar}",
                piece.last().map_or(0.0, |sample| sample.at),
                mean(|sample| sample.files as f64),
                mean(|sample| sample.threads as f64),
                mean(|sample| sample.answers as f64),
                mean(|sample| sample.median),
                mean(|sample| sample.tail),
            );
        }
    }
}

fn ends(mut values: impl Iterator<Item = usize>) -> (usize, usize) {
    let first = values.next().unwrap_or_default();
    (first, values.last().unwrap_or(first))
}
