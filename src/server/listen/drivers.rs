//! Threads that each drive connections of their own.
//!
//! Between the threads of one runtime, whatever becomes ready may move to the one that is idle.
//! That costs a good part of a short answer, and connections are many and alike: they stay where
//! they began. What one HTTP/2 connection asks at a time is many requests, which do move.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::rt::Executor;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::server::STACK;

/// As many threads as there are processors. They end once this and what they drive has ended.
pub(super) struct Drivers(Vec<Driver>);

struct Driver {
    /// Not bounded here: there is a place for every connection before it is driven.
    tasks: mpsc::UnboundedSender<Task>,
    /// Connections that it drives.
    open: Arc<AtomicUsize>,
}

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Drivers {
    pub(super) fn start() -> io::Result<Self> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        (0..processors).map(Driver::start).collect::<io::Result<_>>().map(Self)
    }

    /// Drives a connection on the thread that has fewest.
    pub(super) fn drive(&self, connection: impl Future<Output = ()> + Send + 'static) {
        let least = self.0.iter().min_by_key(|driver| driver.open.load(Ordering::Relaxed));
        let Some(driver) = least else { return };
        let open = Open::new(&driver.open);
        let task = Box::pin(async move {
            connection.await;
            drop(open);
        });
        // A driver takes tasks for as long as there is somebody to send them.
        let _ = driver.tasks.send(task);
    }
}

impl Driver {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (tasks, mut waiting) = mpsc::unbounded_channel::<Task>();
        std::thread::Builder::new().name(format!("driver-{number}")).stack_size(STACK).spawn(
            move || {
                runtime.block_on(async move {
                    while let Some(task) = waiting.recv().await {
                        tokio::spawn(task);
                    }
                });
            },
        )?;
        Ok(Self { tasks, open: Arc::default() })
    }
}

/// Counts a connection for as long as it lives.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs the requests of HTTP/2 connections on the server's own runtime.
#[derive(Clone, Debug)]
pub(super) struct Requests(pub(super) Handle);

impl<F> Executor<F> for Requests
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, request: F) {
        self.0.spawn(request);
    }
}
