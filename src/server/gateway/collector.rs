//! Evidence from MLflow for those who ask for a decision over the API.

use tracing::Instrument as _;

use crate::model::Undecided;
use crate::registry::mlflow::{Caller, Client, InvalidAddress, Move, REGISTRY, Trust};
use crate::server::{Collect, Collected, Evidence, Wanted};

/// Collects from one MLflow server, as lockgate itself.
#[derive(Clone, Debug)]
pub struct GatewayCollector {
    client: Client,
    service: Caller,
}

impl GatewayCollector {
    /// A collector for the MLflow server at `url`, which is asked as `service`.
    ///
    /// # Errors
    /// An address that is none, or certificates that cannot be read.
    pub fn new(url: &str, service: Caller, trust: &Trust) -> Result<Self, InvalidAddress> {
        Ok(Self { client: Client::trusting(url, trust)?, service })
    }
}

impl Collect for GatewayCollector {
    fn registry(&self) -> &str {
        REGISTRY
    }

    fn collect<'a>(&'a self, wanted: Wanted<'a>) -> Collected<'a> {
        Box::pin(async move {
            let Wanted { subject, target, gates, until } = wanted;
            let naming = &gates.config().naming;
            let moved = Move::asked(&subject.model, &subject.version, target, naming);
            let moved = Move { subject: subject.clone(), ..moved };
            let assignments = gates.assignments().to_vec();
            let work = self.client.collect(&self.service, &moved, naming, assignments);
            let work = work.instrument(tracing::debug_span!("collect", registry = REGISTRY));
            match tokio::time::timeout_at(until.into(), work).await {
                Ok(frozen) => Evidence::from(frozen),
                Err(_) => Evidence::Unusable(vec![Undecided::EvidenceUnreadable {
                    source_name: REGISTRY.to_owned(),
                    detail: "MLflow did not answer everything in time".to_owned(),
                }]),
            }
        })
    }
}
