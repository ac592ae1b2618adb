//! The threads that judge. A policy may take seconds, which no thread of the async runtime has,
//! so evaluations run on threads of their own behind a queue that never grows past its bound.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Stack of a thread that judges, of this pool or of the runtime: a guest may use one MiB of it, and
/// the host's own frames come on top.
pub const STACK: usize = 4 << 20;

type Job = Box<dyn FnOnce() + Send>;

/// A fixed number of threads behind a bounded queue.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

/// The queue has no room, or takes nothing any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unqueued {
    Full,
    Closed,
}

struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
    capacity: usize,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Threads that wait. Waking costs a system call, which is spared while all are busy.
    idle: usize,
    closed: bool,
}

impl Pool {
    /// Starts `workers` threads; `capacity` jobs may wait for one.
    pub(super) fn start(workers: usize, capacity: usize) -> io::Result<Self> {
        let queue = Mutex::new(Queue::default());
        let shared = Arc::new(Shared { queue, filled: Condvar::new(), capacity });
        let pool = Self { shared };
        for number in 0..workers.max(1) {
            let shared = Arc::clone(&pool.shared);
            std::thread::Builder::new()
                .name(format!("judge-{number}"))
                .stack_size(STACK)
                .spawn(move || shared.work())?;
        }
        Ok(pool)
    }

    /// Queues a job, or says at once why not.
    pub(super) fn push(&self, job: Job) -> Result<(), Unqueued> {
        let mut queue = self.shared.lock();
        if queue.closed {
            return Err(Unqueued::Closed);
        }
        if queue.jobs.len() >= self.shared.capacity {
            return Err(Unqueued::Full);
        }
        queue.jobs.push_back(job);
        let wake = queue.idle > 0;
        drop(queue);
        if wake {
            self.shared.filled.notify_one();
        }
        Ok(())
    }

    /// Jobs that wait.
    pub(super) fn waiting(&self) -> usize {
        self.shared.lock().jobs.len()
    }
}

impl Drop for Pool {
    /// Threads end once the queue is empty.
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.filled.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            // Whoever waits for it sees its channel closed; the thread goes on.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            if queue.closed {
                return None;
            }
            queue.idle += 1;
            queue = self.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn takes_no_more_than_it_may_hold() {
        let pool = Pool::start(1, 1).unwrap();
        let (started, has_started) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let hanging = move || {
            started.send(()).unwrap();
            let _ = released.recv();
        };
        assert_eq!(pool.push(Box::new(hanging)), Ok(()));
        has_started.recv().unwrap();
        let (done, is_done) = mpsc::channel();
        assert_eq!(pool.push(Box::new(move || done.send(()).unwrap())), Ok(()));
        assert_eq!(pool.push(Box::new(|| ())), Err(Unqueued::Full));
        drop(release);
        is_done.recv().unwrap();
        assert_eq!(pool.waiting(), 0);
    }

    #[test]
    fn a_job_that_panics_takes_no_thread_with_it() {
        let pool = Pool::start(1, 2).unwrap();
        let (done, is_done) = mpsc::channel();
        assert_eq!(pool.push(Box::new(|| panic!("on purpose"))), Ok(()));
        assert_eq!(pool.push(Box::new(move || done.send(()).unwrap())), Ok(()));
        is_done.recv().unwrap();
    }
}
