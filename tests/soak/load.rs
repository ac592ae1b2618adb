//! Clients of all kinds, each at its own steady pace.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::http::{Request, Response, get, post};
use super::server::Server;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Worker {
    /// Decisions with evidence that comes along.
    Decisions,
    /// Admission reviews, with evidence from the registry.
    Reviews,
    /// Admission reviews that are not put on record.
    Trials,
    /// What the gateway passes through.
    Passing,
}

pub(crate) const WORKERS: [Worker; 8] = [
    Worker::Decisions,
    Worker::Decisions,
    Worker::Reviews,
    Worker::Reviews,
    Worker::Trials,
    Worker::Trials,
    Worker::Passing,
    Worker::Passing,
];

impl Worker {
    /// Requests a second. What is put on record stays on disk, so that is less.
    const fn pace(self) -> u32 {
        match self {
            Self::Decisions | Self::Reviews => 40,
            Self::Trials | Self::Passing => 200,
        }
    }

    fn request(self) -> Request {
        match self {
            Self::Decisions => post(
                "/v1/decisions",
                &json!({
                    "model": "fraud-detector", "version": "3", "target": "stage:Production",
                    "evidence": {"inline": [{"name": "metrics.json", "content": {
                        "lockgate": "evidence/v1", "metrics": [{"name": "auc", "value": 0.95}],
                    }}]},
                }),
            ),
            Self::Reviews => post("/k8s/validate", &review(false)),
            Self::Trials => post("/k8s/validate", &review(true)),
            Self::Passing => get("/api/2.0/mlflow/experiments/get?experiment_id=0"),
        }
    }

    /// The decision that an answer tells of, if it is to be on record.
    fn decision(self, answer: &Value) -> Result<Option<String>, String> {
        let denied = || answer["response"]["allowed"] == false;
        let (fits, id) = match self {
            Self::Decisions => (answer["decision"]["verdict"] == "allow", Some(&answer["id"])),
            Self::Reviews => (denied(), Some(&answer["response"]["auditAnnotations"]["decisions"])),
            Self::Trials => (denied(), None),
            Self::Passing => (answer["experiment"]["name"] == "Default", None),
        };
        match id.map(Value::as_str) {
            None if fits => Ok(None),
            Some(Some(id)) if fits => Ok(Some(id.to_owned())),
            _ => Err(format!("{self:?} was answered {answer}")),
        }
    }
}

fn review(dry_run: bool) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "serving.kserve.io", "version": "v1beta1", "kind": "InferenceService"},
            "namespace": "prod",
            "operation": "CREATE",
            "userInfo": {"username": "alice"},
            "dryRun": dry_run,
            "object": {
                "apiVersion": "serving.kserve.io/v1beta1",
                "kind": "InferenceService",
                "metadata": {"name": "fraud", "namespace": "prod"},
                "spec": {"predictor": {"model": {"storageUri": "models:/fraud/3"}}},
            },
        },
    })
}

/// Whether a server that starts or stops says so. To a review it says it within an answer.
fn is_starting(answer: &Response, value: &Value) -> bool {
    let message = value["response"]["status"]["message"].as_str();
    answer.status == 503
        || message.is_some_and(|message| message.contains("the gates are still being loaded"))
}

pub(crate) struct Load<'a> {
    server: &'a Server,
    stop: &'a AtomicBool,
    /// Whether the server is being killed, so that connections may break.
    pub(crate) killing: AtomicBool,
    answers: AtomicUsize,
    answered: Mutex<Vec<String>>,
    times: Mutex<Vec<Duration>>,
    faults: Mutex<Vec<String>>,
}

impl<'a> Load<'a> {
    pub(crate) fn new(server: &'a Server, stop: &'a AtomicBool) -> Self {
        Self {
            server,
            stop,
            killing: AtomicBool::new(false),
            answers: AtomicUsize::new(0),
            answered: Mutex::default(),
            times: Mutex::default(),
            faults: Mutex::default(),
        }
    }

    /// Asks at its pace until told to stop.
    pub(crate) fn work(&self, worker: Worker) {
        let request = worker.request().bytes();
        let step = Duration::from_secs(1) / worker.pace();
        let mut stream: Option<TcpStream> = None;
        let mut next = Instant::now();
        while !self.stop.load(Ordering::Relaxed) {
            let now = Instant::now();
            thread::sleep(next.saturating_duration_since(now));
            // What was missed is not made up for.
            next = next.max(now) + step;
            let asked = Instant::now();
            let answer = self.ask(&mut stream, &request);
            match answer {
                Some(answer) => self.take(worker, &answer, asked.elapsed()),
                None => {
                    stream = None;
                    if !self.killing.load(Ordering::Relaxed) {
                        self.fault(format!("{worker:?}: a connection broke off"));
                    }
                }
            }
        }
    }

    fn ask(&self, stream: &mut Option<TcpStream>, request: &[u8]) -> Option<Response> {
        if stream.is_none() {
            let fresh = TcpStream::connect(self.server.address).ok()?;
            fresh.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
            *stream = Some(fresh);
        }
        let stream = stream.as_mut()?;
        stream.write_all(request).ok()?;
        Response::try_read(stream)
    }

    fn take(&self, worker: Worker, answer: &Response, time: Duration) {
        let value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        match worker.decision(&value) {
            Ok(id) if answer.status == 200 => {
                self.answers.fetch_add(1, Ordering::Relaxed);
                lock(&self.times).push(time);
                lock(&self.answered).extend(id);
            }
            Ok(_) => self.fault(format!("{worker:?} was answered {}", answer.status)),
            Err(_) if self.killing.load(Ordering::Relaxed) && is_starting(answer, &value) => {}
            Err(fault) => self.fault(format!("{} {fault}", answer.status)),
        }
    }

    pub(crate) fn fault(&self, fault: String) {
        let mut faults = lock(&self.faults);
        // The first ones tell enough.
        if faults.len() < 20 {
            faults.push(fault);
        }
    }

    pub(crate) fn faults(&self) -> Vec<String> {
        lock(&self.faults).clone()
    }

    pub(crate) fn answers(&self) -> usize {
        self.answers.load(Ordering::Relaxed)
    }

    pub(crate) fn answered(&self) -> Vec<String> {
        lock(&self.answered).clone()
    }

    /// How long answers took since it was last asked, in order.
    pub(crate) fn times(&self) -> Vec<Duration> {
        let mut times = std::mem::take(&mut *lock(&self.times));
        times.sort_unstable();
        times
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
