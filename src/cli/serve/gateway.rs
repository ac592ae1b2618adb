//! The gateway before MLflow.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use hyper::header::HeaderName;

use crate::registry::mlflow::{Caller, Trust};
use crate::server::gateway::{
    Counts, Gateway, GatewayCollector, Options, Patience, Secret, Upstream,
};
use crate::server::{BodyLimits, Collect, Gatekeeper};

/// The gateway before MLflow.
#[derive(Args, Debug)]
#[command(next_help_heading = "MLflow")]
pub(super) struct MlflowGateway {
    /// Stand before the MLflow server at this address: its clients and browsers use the address of
    /// lockgate from then on. With MLflow's static prefix as its path, where it has one.
    // Read in a second step: what the parser of arguments quotes may hold a password.
    #[arg(long, value_name = "URL", env = "LOCKGATE_MLFLOW")]
    mlflow: Option<String>,

    /// Authorities that vouch for MLflow's certificate, PEM, where its address begins with
    /// `https://` [default: those that this machine trusts].
    #[arg(long, value_name = "FILE", env = Trust::VARIABLE)]
    mlflow_ca: Option<PathBuf>,

    /// A header in which a proxy before lockgate says who asks, and which no client can set
    /// [default: the user of basic authentication].
    #[arg(long, value_name = "NAME", requires = "mlflow")]
    mlflow_user_header: Option<HeaderName>,

    /// A file with the secret that MLflow signs its webhooks with. They are taken at
    /// `/v1/webhooks/mlflow`, and tell of changes that went around lockgate.
    #[arg(long, value_name = "FILE", requires = "mlflow")]
    mlflow_webhook_secret_file: Option<PathBuf>,

    /// Seconds for MLflow to begin its answer, for the next part of a body to come, and for
    /// everything that a change would move to be judged.
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = clap::value_parser!(u64).range(1..=3600))]
    mlflow_timeout: u64,

    /// Where people reach this server, `https://models.example.org`, for links to decisions in the
    /// messages that MLflow's clients show.
    #[arg(long, value_name = "URL", requires = "mlflow")]
    public_url: Option<String>,
}

/// What the gateway adds to the server.
pub(super) struct Added {
    pub(super) gateway: Gateway,
    pub(super) collector: Arc<dyn Collect>,
}

impl MlflowGateway {
    /// The gateway; none where no MLflow was named. Credentials for questions of its own are taken
    /// from the variables of MLflow's client.
    pub(super) fn build(
        &self,
        gatekeeper: &Gatekeeper,
        tls: bool,
        body: BodyLimits,
        counts: Counts,
    ) -> anyhow::Result<Option<Added>> {
        let Some(upstream) = self.upstream()? else { return Ok(None) };
        let service = Caller::from_env()?;
        let secret = match &self.mlflow_webhook_secret_file {
            Some(path) => Some(Secret::read(path)?),
            None => None,
        };
        let time = Duration::from_secs(self.mlflow_timeout);
        let patience = Patience { answer: time, idle: time, ..Patience::default() };
        let trust = self.mlflow_ca.clone().map_or(Trust::Machine, Trust::File);
        let options = Options {
            patience,
            tls,
            body,
            trust: trust.clone(),
            user_header: self.mlflow_user_header.clone(),
            webhook_secret: secret,
            service: service.clone(),
            public_url: self.public_url()?,
        };
        let url = upstream.to_string();
        let gateway =
            Gateway::new(gatekeeper.clone(), &url, options, counts).context("--mlflow")?;
        let collector = GatewayCollector::new(&url, service, &trust).context("--mlflow")?;
        Ok(Some(Added { gateway, collector: Arc::new(collector) }))
    }

    /// Where MLflow is; none where no MLflow was named.
    pub(super) fn upstream(&self) -> anyhow::Result<Option<Upstream>> {
        self.mlflow.as_ref().map(|url| url.parse()).transpose().context("--mlflow")
    }

    fn public_url(&self) -> anyhow::Result<Option<String>> {
        let Some(url) = &self.public_url else { return Ok(None) };
        let web = url.starts_with("https://") || url.starts_with("http://");
        let plain = url.bytes().all(|byte| byte.is_ascii_graphic());
        if !web || !plain || url.contains(['?', '#', '@', '`']) {
            bail!(
                "`--public-url` is not the address of a web server; write it as `https://models.example.org`"
            );
        }
        Ok(Some(url.trim_end_matches('/').to_owned()))
    }
}
