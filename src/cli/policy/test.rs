use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use clap::Args;

use super::failure::not_loaded;
use super::subject::{Subject, SubjectOptions};
use super::watch;
use crate::cases::report::{Format, Report, Tally, render};
use crate::cases::{CaseResult, Coverage, Folder, Sign, Status, Suite, run, update};
use crate::cli::Exit;
use crate::cli::output::{self, Output};
use crate::cli::sandbox::SandboxOptions;
use crate::cli::terminal::Terminal;
use crate::policy::{Policy, PolicyLoader as _};
use crate::report::plain;

/// Run the cases of a policy, and show where it answers otherwise than expected.
///
/// A case is a YAML file: a promotion, its evidence and params, and what the policy has to say. Each
/// runs through the real component, within the limits of a gate. Rules that no case expects a check
/// of, or to be broken, are named.
///
/// Exit codes: 0 every case passes, 1 one fails, 2 a case cannot be read or the usage is wrong,
/// 3 the policy cannot be loaded.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockgate policy test\n  lockgate policy test region-floor.wasm --filter 'no-baseline*' --watch\n  lockgate policy test std/metric-threshold --cases cases --output junit=cases.xml\n  lockgate policy test region-floor.wasm --update && git diff cases"
)]
pub(in crate::cli) struct Test {
    #[command(flatten)]
    subject: SubjectOptions,

    /// Only cases whose name contains this, or matches it where it has a `*` or `?`.
    #[arg(long, value_name = "PATTERN")]
    filter: Option<String>,

    /// What is printed: `table`, `json` or `junit`.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,

    /// Also write a report to a file. Can be given several times.
    #[arg(short, long, value_name = "FORMAT=FILE", num_args = 1..)]
    output: Vec<Output<Format>>,

    /// Accept what the policy says now: rewrite what failing cases expect, and nothing else of
    /// their files. Shows what it changed.
    #[arg(long)]
    update: bool,

    /// Run again whenever the component or a case changes, until Ctrl-C.
    #[arg(long, conflicts_with = "update")]
    watch: bool,

    #[command(flatten)]
    sandbox: SandboxOptions,
}

/// What one run came to, or that it was stopped.
type Ran = Option<Exit>;

impl Test {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        output::refuse_twins(&self.output)?;
        let subject = match self.subject.resolve(&self.sandbox, terminal)? {
            Ok(subject) => subject,
            Err(exit) => return Ok(exit),
        };
        if self.watch {
            let written = self.output.iter().map(|output| output.path.clone()).collect();
            return watch::run(&subject, written, terminal, |stop| {
                self.once(&subject, terminal, stop)
            });
        }
        let ran = self.once(&subject, terminal, &AtomicBool::new(false))?;
        Ok(ran.unwrap_or(Exit::Undecided))
    }

    /// Runs all cases once, unless told to stop.
    fn once(
        &self,
        subject: &Subject,
        terminal: &Terminal,
        stop: &AtomicBool,
    ) -> anyhow::Result<Ran> {
        let start = Instant::now();
        let folder = self.folder(subject)?;
        let sandbox = self.sandbox.sandbox(terminal)?;
        let reference = &subject.reference;
        let policy = match sandbox.load(&subject.component) {
            Ok(policy) => policy,
            Err(reason) => return Ok(Some(not_loaded(terminal, reference, &reason))),
        };
        let suite = match Suite::new(policy.as_ref()) {
            Ok(suite) => suite,
            Err(error) => {
                terminal.error(&anyhow!("`{reference}`: {error}"));
                return Ok(Some(Exit::Undecided));
            }
        };
        let judge = || judge(&suite, &folder, terminal, stop);
        let Some(mut results) = judge() else { return Ok(None) };
        let failed = results.iter().any(|result| matches!(result.status, Status::Failed(_)));
        if self.update && failed && accept(&folder, &results, terminal)? {
            let Some(again) = judge() else { return Ok(None) };
            results = again;
        }
        self.report(subject, &policy, &results, start.elapsed(), terminal)?;
        Ok(Some(exit(&results)))
    }

    fn folder(&self, subject: &Subject) -> anyhow::Result<Folder> {
        let mut folder = Folder::open(&subject.cases)?;
        if let Some(filter) = &self.filter {
            let keep = super::filter::filter(filter)?;
            folder.retain(|name| keep(name));
            if folder.files().is_empty() {
                let cases = subject.cases.display();
                return Err(anyhow!("no case in `{cases}` has a name that fits `{filter}`"));
            }
        }
        Ok(folder)
    }

    fn report(
        &self,
        subject: &Subject,
        policy: &Arc<dyn Policy>,
        results: &[CaseResult],
        elapsed: Duration,
        terminal: &Terminal,
    ) -> anyhow::Result<()> {
        let coverage = Coverage::of(policy.description(), results);
        let reference = subject.reference.to_string();
        let report = Report {
            reference: &reference,
            description: policy.description(),
            digest: policy.digest(),
            results,
            coverage: &coverage,
            // A part of the cases says nothing of the rules that the others hold the policy to.
            whole: self.filter.is_none() && subject.cases.is_dir(),
            elapsed,
        };
        for output in &self.output {
            output.write(false, |writer| {
                Ok(writer.write_all(render(output.format, &report, false)?.as_bytes())?)
            })?;
        }
        let text = render(self.format, &report, terminal.colored());
        terminal.print(&text.context("cannot make the report")?)
    }
}

/// Runs the cases, telling how far it is; none when told to stop.
fn judge(
    suite: &Suite<'_>,
    folder: &Folder,
    terminal: &Terminal,
    stop: &AtomicBool,
) -> Option<Vec<CaseResult>> {
    let all = folder.files().len();
    let start = Instant::now();
    let results = run(suite, folder, &|done| {
        // What takes no time needs no word.
        if start.elapsed() > Duration::from_millis(500) {
            terminal.progress(format_args!("{done} of {all} cases"));
        }
        !stop.load(Ordering::Relaxed)
    });
    if start.elapsed() > Duration::from_millis(500) {
        terminal.end_progress();
    }
    results
}

/// Writes anew what failing cases expect; whether any was.
fn accept(folder: &Folder, results: &[CaseResult], terminal: &Terminal) -> anyhow::Result<bool> {
    let mut any = false;
    for (file, result) in folder.files().iter().zip(results) {
        let (Status::Failed(_), Some(answer)) = (&result.status, &result.answer) else { continue };
        let shown = &result.file;
        let Ok(case) = folder.read(file) else {
            terminal.warning(format_args!("`{shown}` has changed meanwhile, and is left as it is"));
            continue;
        };
        match update(folder, file, &case, answer) {
            Ok(update) => {
                folder
                    .replace(file, &update.text)
                    .with_context(|| format!("cannot write `{shown}`"))?;
                terminal.note(format_args!("updated {shown}"));
                for line in &update.changes.lines {
                    let sign = if line.sign == Sign::Got { '+' } else { '-' };
                    terminal.tell(format_args!("  {sign} {}\n", plain(&line.text)));
                }
                any = true;
            }
            Err(why) => terminal.warning(format_args!("`{shown}` is left as it is: {why}")),
        }
    }
    Ok(any)
}

fn exit(results: &[CaseResult]) -> Exit {
    match Tally::of(results) {
        Tally { unreadable: 1.., .. } => Exit::Usage,
        Tally { failed: 1.., .. } => Exit::Deny,
        Tally { .. } => Exit::Done,
    }
}
