//! What goes wrong meanwhile.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::http::get;
use super::load::Load;
use super::server::{GATES, Server};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It is killed, and started again.
    Kill,
    /// The gates are loaded anew.
    Reload,
    /// A gate file that cannot be used, and then one that can.
    Broken,
    /// Clients that connect and say nothing.
    Idle,
    /// Clients that take a second for each letter.
    Slow,
}

impl Fault {
    /// Those that a server lives on with.
    pub(crate) const BORNE: [Self; 4] = [Self::Reload, Self::Broken, Self::Idle, Self::Slow];

    pub(crate) fn happen(self, server: &Server, load: &Load<'_>) {
        match self {
            Self::Kill => {
                load.killing.store(true, Ordering::Relaxed);
                if let Some(fault) = server.kill_and_restart() {
                    load.fault(fault);
                }
                // Connections of before are found broken with their next request.
                thread::sleep(Duration::from_secs(1));
                load.killing.store(false, Ordering::Relaxed);
            }
            Self::Reload => server.signal(Signal::HUP),
            Self::Broken => {
                server.write_gates("nonsense");
                until(server, load, "stale");
                server.write_gates(GATES);
                until(server, load, "loaded");
            }
            Self::Idle => {
                let idle: Vec<_> =
                    (0..500).map_while(|_| TcpStream::connect(server.address).ok()).collect();
                thread::sleep(Duration::from_secs(2));
                drop(idle);
            }
            Self::Slow => {
                let mut slow: Vec<_> =
                    (0..50).map_while(|_| TcpStream::connect(server.address).ok()).collect();
                for letter in b"GET /liv" {
                    for stream in &mut slow {
                        // The server cuts them off when it has waited for long enough.
                        let _ = stream.write_all(&[*letter]);
                    }
                    thread::sleep(Duration::from_secs(1));
                }
            }
        }
    }
}

fn until(server: &Server, load: &Load<'_>, state: &str) {
    let end = Instant::now() + Duration::from_secs(30);
    while get("/readyz").send(server.address).json()["gates"] != state {
        if Instant::now() > end {
            load.fault(format!("the gates never were {state}"));
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
}
