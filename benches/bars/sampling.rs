//! Times of two things, taken in turn, so that whatever else the machine does hits both.

use std::time::{Duration, Instant};

/// Parts that the samples are cut into, to show how far a ratio moves within one run.
const PARTS: usize = 10;

/// Times of one thing, in the order in which they were taken.
#[derive(Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// The time that this share of the samples, 0 to 1, does not exceed.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        quantile(&self.0, share)
    }

    pub(crate) fn median(&self) -> Duration {
        self.quantile(0.5)
    }
}

fn quantile(times: &[Duration], share: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().saturating_sub(1);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index of some thousand samples"
    )]
    let index = (last as f64 * share).round() as usize;
    sorted.get(index).copied().unwrap_or_default()
}

/// What one thing takes against another.
pub(crate) struct Ratio {
    /// Of the medians of all samples.
    pub(crate) all: f64,
    /// The least and the greatest of the ratios of the medians of each tenth.
    pub(crate) least: f64,
    pub(crate) most: f64,
}

pub(crate) fn ratio(ours: &Samples, other: &Samples) -> Ratio {
    let of = |ours: &[Duration], other: &[Duration]| {
        quantile(ours, 0.5).as_secs_f64() / quantile(other, 0.5).as_secs_f64()
    };
    let part = ours.0.len().div_ceil(PARTS).max(1);
    let parts = ours.0.chunks(part).zip(other.0.chunks(part)).map(|(ours, other)| of(ours, other));
    let (least, most) = parts
        .fold((f64::INFINITY, 0.0_f64), |(least, most), ratio| (least.min(ratio), most.max(ratio)));
    Ratio { all: of(&ours.0, &other.0), least, most }
}

/// Takes `count` samples of each, changing which comes first, after a tenth as many to warm up.
pub(crate) fn in_turn(
    count: usize,
    mut ours: impl FnMut() -> anyhow::Result<()>,
    mut other: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<(Samples, Samples)> {
    for _ in 0..count.div_ceil(10) {
        ours()?;
        other()?;
    }
    let (mut our_times, mut other_times) = (Samples::default(), Samples::default());
    for number in 0..count {
        if number % 2 == 0 {
            our_times.push(time(&mut ours)?);
            other_times.push(time(&mut other)?);
        } else {
            other_times.push(time(&mut other)?);
            our_times.push(time(&mut ours)?);
        }
    }
    Ok((our_times, other_times))
}

fn time(call: &mut impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let start = Instant::now();
    call()?;
    Ok(start.elapsed())
}
