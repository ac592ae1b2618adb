//! What was measured, as a table.

#![expect(clippy::print_stdout, reason = "the answer of the program")]

use std::time::Duration;

use crate::sampling::{Ratio, Samples, ratio};

pub(crate) fn title(title: &str) {
    println!("\n{title}\n");
}

pub(crate) fn heading(text: &str, ours: &str, other: &str) {
    title(text);
    println!(
        "  {:<46} {ours:>12} {other:>12} {:>6}  {:<13} {:>5}",
        "", "ratio", "(in tenths)", "bar"
    );
}

/// One line of two times; with a bar, also whether their ratio is within it.
pub(crate) fn compare(what: &str, ours: &Samples, other: &Samples, bar: Option<f64>) {
    let Ratio { all, least, most } = ratio(ours, other);
    let range = format!("({least:.2}–{most:.2})");
    let verdict = bar.map_or_else(String::new, |bar| format!("{bar:>5.2}  {}", word(all <= bar)));
    println!(
        "  {what:<46} {:>12} {:>12} {all:>6.2}  {range:<13} {verdict}",
        shown(ours.median()),
        shown(other.median()),
    );
}

/// One line of a single time.
pub(crate) fn single(what: &str, time: Duration, bar: Option<Duration>) {
    let verdict =
        bar.map_or_else(String::new, |bar| format!("bar {}  {}", shown(bar), word(time <= bar)));
    println!("  {what:<46} {:>12} {verdict}", shown(time));
}

pub(crate) fn rates_heading(other: &str) {
    println!(
        "  {:<46} {:>12} {other:>12} {:>6}  {:<13} {:>5}",
        "", "lockgate", "ratio", "(rounds)", "bar"
    );
}

/// One line of two rates, of which more is better; with a bar, also whether their ratio is up to
/// it.
pub(crate) fn rates(what: &str, ours: &[f64], other: &[f64], bar: Option<f64>) {
    let median = |rates: &[f64]| {
        let mut sorted = rates.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    };
    let of_rounds = ours.iter().zip(other).map(|(ours, other)| ours / other);
    let (least, most) = of_rounds
        .fold((f64::INFINITY, 0.0_f64), |(least, most), ratio| (least.min(ratio), most.max(ratio)));
    let ratio = median(ours) / median(other);
    let range = format!("({least:.2}–{most:.2})");
    let verdict = bar.map_or_else(String::new, |bar| {
        format!("{bar:>5.2}  {}", if ratio >= bar { "within" } else { "UNDER" })
    });
    println!(
        "  {what:<46} {:>12.0} {:>12.0} {ratio:>6.2}  {range:<13} {verdict}",
        median(ours),
        median(other)
    );
}

/// One line of an amount of memory, bytes.
pub(crate) fn memory(what: &str, bytes: u64, bar: Option<u64>) {
    let mib = |bytes: u64| format!("{}.{} MiB", bytes >> 20, ((bytes >> 10) & 1023) * 10 / 1024);
    let verdict =
        bar.map_or_else(String::new, |bar| format!("bar {}  {}", mib(bar), word(bytes <= bar)));
    println!("  {what:<46} {:>12} {verdict}", mib(bytes));
}

pub(crate) fn note(text: &str) {
    println!("  {text}");
}

const fn word(within: bool) -> &'static str {
    if within { "within" } else { "OVER" }
}

fn shown(time: Duration) -> String {
    let microseconds = time.as_secs_f64() * 1e6;
    if microseconds < 1_000.0 {
        format!("{microseconds:.1} µs")
    } else {
        format!("{:.2} ms", microseconds / 1e3)
    }
}
