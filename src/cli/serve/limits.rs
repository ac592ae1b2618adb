//! How much the server takes on.

use std::time::Duration;

use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::server::{BodyLimits, Capacity, ConnectionLimits, Room};

/// File descriptors kept for everything but connections: the record, caches, watches, registries.
const RESERVED: u64 = 128;

/// Bytes of all bodies that come and are judged at a time, or so many of the largest where that is
/// more.
const BODIES: usize = 256 << 20;
const LARGEST: usize = 4;

/// How much the server takes on.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub(super) struct Limits {
    /// Threads that judge [default: twice the number of processors, at least 4].
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,

    /// Questions that may wait for a thread that judges; more are refused at once.
    #[arg(long, value_name = "NUMBER", default_value = "1024", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    queue: u32,

    /// Seconds from a question to its answer; what takes longer is undecided.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = clap::value_parser!(u64).range(1..=600))]
    request_timeout: u64,

    /// Largest body of a question, with its evidence, in MiB.
    #[arg(long, value_name = "MIB", default_value = "16", value_parser = clap::value_parser!(u16).range(1..=256))]
    max_body: u16,

    /// Connections open at a time; fewer where the system does not allow so many open files.
    #[arg(long, value_name = "NUMBER", default_value = "16384", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_connections: u32,

    /// Seconds for the headers of a request to arrive, and for a connection to be idle.
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = clap::value_parser!(u64).range(1..=3600))]
    header_timeout: u64,

    /// Seconds for the body of a question, or of a change of the registry, to arrive.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = clap::value_parser!(u64).range(1..=3600))]
    body_timeout: u64,

    /// Seconds for requests under way to end once the server is told to stop.
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = clap::value_parser!(u64).range(1..=600))]
    drain_timeout: u64,
}

impl Limits {
    pub(super) fn capacity(&self) -> Capacity {
        let usual = Capacity::of_this_machine();
        Capacity {
            workers: self.workers.map_or(usual.workers, usize::from),
            queue: usize::try_from(self.queue).unwrap_or(usual.queue),
            deadline: Duration::from_secs(self.request_timeout),
        }
    }

    pub(super) fn body(&self) -> BodyLimits {
        let bytes = usize::from(self.max_body) << 20;
        BodyLimits {
            bytes,
            time: Duration::from_secs(self.body_timeout),
            room: Room::of(bytes.saturating_mul(LARGEST).max(BODIES)),
        }
    }

    pub(super) fn connections(&self) -> ConnectionLimits {
        ConnectionLimits {
            connections: self.most_connections(),
            headers: Duration::from_secs(self.header_timeout),
            drain: Duration::from_secs(self.drain_timeout),
            ..ConnectionLimits::default()
        }
    }

    fn most_connections(&self) -> usize {
        let wanted = u64::from(self.max_connections);
        let possible = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let most = wanted.min(possible.saturating_sub(RESERVED).max(1));
        usize::try_from(most).unwrap_or(usize::MAX)
    }
}

/// Uses as many open files as the system allows.
pub(super) fn raise_open_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where that is not allowed there are fewer connections.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
