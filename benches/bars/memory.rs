//! Peak memory of a program, as the kernel has counted it when the program has ended.
//!
//! The kernel keeps the greatest of all children, and starts a child's count at what its parent
//! held when it forked. So each program is started by a fresh copy of this one, small and with no
//! other child.

#![expect(clippy::print_stdout, reason = "the answer to the parent")]

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};

/// First argument of the copy; the program and its arguments follow.
pub(crate) const MODE: &str = "peak-memory-of";

/// Peak memory of a program, bytes.
pub(crate) fn peak(command: &Command) -> Result<u64> {
    let mut copy = Command::new(std::env::current_exe()?);
    copy.arg(MODE).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        copy.env(name, value.unwrap_or_default());
    }
    if let Some(directory) = command.get_current_dir() {
        copy.current_dir(directory);
    }
    let output = copy.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("`{}` did not end as expected", command.get_program().display());
    }
    let kibibytes: u64 = String::from_utf8(output.stdout)?.trim().parse()?;
    Ok(kibibytes << 10)
}

/// In the copy: runs the program and prints its peak memory, KiB.
pub(crate) fn measure(command: &[&str]) -> Result<()> {
    let (program, arguments) = command.split_first().context("a program")?;
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).status()?;
    if status.code().is_none() {
        bail!("`{program}` was killed");
    }
    // Linux counts in KiB.
    println!("{}", getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss());
    Ok(())
}
