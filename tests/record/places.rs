//! Where records are in these tests, and decisions to put there.

use std::path::PathBuf;
use std::sync::Arc;

use lockgate::decision::{Decision, EvidenceSummary, Movement, Unmatched, Verdict};
use lockgate::evidence::{About, Collector, Frozen};
use lockgate::model::{DecisionId, Digest, ModelVersion, Origin, Promotion, Target, Undecided};
use lockgate::record::{Entry, Location, Options, Record};
use tempfile::TempDir;

use super::cluster::Cluster;

/// A database that nobody else uses.
pub(crate) enum Place {
    Sqlite(TempDir),
    Postgres(Cluster),
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    pub(crate) fn postgres() -> Self {
        Self::Postgres(Cluster::start())
    }

    /// The SQLite file.
    pub(crate) fn file(&self) -> PathBuf {
        match self {
            Self::Sqlite(folder) => folder.path().join("state/record.db"),
            Self::Postgres(_) => unreachable!("not a file"),
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Sqlite(_) => self.file().to_str().unwrap().to_owned(),
            Self::Postgres(cluster) => cluster.url(),
        }
    }

    pub(crate) fn location(&self) -> Location {
        self.text().parse().unwrap()
    }

    pub(crate) async fn open(&self) -> Record {
        Record::open(&self.location(), Options::write()).await.unwrap()
    }

    pub(crate) async fn open_to_read(&self) -> Record {
        Record::open(&self.location(), Options::read()).await.unwrap()
    }

    /// Somebody at the database itself, whom no constraint stops. `{}` before the name of a table
    /// is what our tables' names begin with.
    pub(crate) async fn tamper(&self, sql: &str) {
        match self {
            Self::Sqlite(_) => {
                let connection = rusqlite::Connection::open(self.file()).unwrap();
                connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
                connection.execute_batch(&sql.replace("{}", "")).unwrap();
            }
            Self::Postgres(cluster) => {
                let client = cluster.client().await;
                client.batch_execute("SET session_replication_role = replica").await.unwrap();
                client.batch_execute(&sql.replace("{}", "lockgate_")).await.unwrap();
            }
        }
    }

    /// The number that a query gives.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        match self {
            Self::Sqlite(_) => {
                let connection = rusqlite::Connection::open(self.file()).unwrap();
                connection.query_row(&sql.replace("{}", ""), [], |row| row.get(0)).unwrap()
            }
            Self::Postgres(cluster) => {
                let client = cluster.client().await;
                client.query_one(&sql.replace("{}", "lockgate_"), &[]).await.unwrap().get(0)
            }
        }
    }

    /// Bytes as the database writes them.
    pub(crate) fn bytes(&self, hex: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("x'{hex}'"),
            Self::Postgres(_) => format!("'\\x{hex}'::bytea"),
        }
    }
}

/// A decision on `model`, which no gate matches.
pub(crate) fn decision(model: &str, verdict: Verdict) -> Decision {
    Decision {
        verdict,
        movement: Movement::Promotion,
        promotion: Promotion {
            subject: ModelVersion {
                registry: "mlflow".to_owned(),
                model: model.to_owned(),
                version: "7".to_owned(),
                digest: None,
            },
            source: None,
            target: Target::Stage("Production".to_owned()),
            requested_by: Some("ada".to_owned()),
            at: "2026-11-23T12:00:00Z".parse().unwrap(),
        },
        gate_file: Digest::of(b"gate file"),
        evidence: EvidenceSummary::default(),
        undecided: vec![Undecided::NoMatchingGate],
        unmatched: Some(match verdict {
            Verdict::Allow => Unmatched::Allow,
            Verdict::Deny => Unmatched::Deny,
            Verdict::Undecided => Unmatched::Undecided,
        }),
        gates: Vec::new(),
        waivers: Vec::new(),
    }
}

pub(crate) fn entry(model: &str, verdict: Verdict) -> Entry {
    entry_of(decision(model, verdict), None)
}

/// With evidence that says `auc`.
pub(crate) fn entry_with_evidence(model: &str, auc: f64) -> Entry {
    let frozen = frozen(auc);
    let mut decision = decision(model, Verdict::Allow);
    decision.evidence.digest = Some(frozen.digest);
    entry_of(decision, Some(Arc::new(frozen)))
}

pub(crate) fn entry_of(decision: Decision, snapshot: Option<Arc<Frozen>>) -> Entry {
    Entry {
        id: DecisionId::new(),
        origin: Origin::Api,
        asked_by: Some("token:ci".to_owned()),
        decision: Arc::new(decision),
        snapshot,
    }
}

pub(crate) fn frozen(auc: f64) -> Frozen {
    let folder = tempfile::tempdir().unwrap();
    let metrics =
        format!(r#"{{"lockgate": "evidence/v1", "metrics": [{{"name": "auc", "value": {auc}}}]}}"#);
    std::fs::write(folder.path().join("metrics.json"), metrics).unwrap();
    let about = About {
        model: None,
        version: None,
        digests: Vec::new(),
        target: Target::Stage("Production".to_owned()),
    };
    let mut collector = Collector::new(about, Vec::new());
    collector.add_path(folder.path(), lockgate::evidence::Side::Candidate);
    collector.freeze().unwrap()
}
