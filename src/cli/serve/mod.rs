//! `lockgate serve`: puts the admission server together.

mod gates;
mod gateway;
mod limits;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use tokio::net::TcpListener;

use super::Exit;
use super::gate_file::GateFile;
use super::record::{Age, RecordOptions};
use super::sandbox::SandboxOptions;
use super::sources::SourceOptions;
use super::terminal::Terminal;
use crate::record::{self, Record};
use crate::registry::kubernetes::{Mapping, RegistryHost, Rules};
use crate::report::plain;
use crate::server::gateway::Counts;
use crate::server::{
    Collect, Credentials, Doorkeeper, Gatekeeper, KubernetesSettings, LogFormat, Metrics,
    Retention, STACK, ServeError, Setup, Telemetry, Tls, TlsFiles, serve,
};
use crate::wasm::Sandbox;
use gates::Loader;

/// Decide on promotions in service: the admission server.
///
/// Answers whoever asks over HTTP, and admission reviews of Kubernetes. Every decision is put on
/// record before it is answered. The gate file, its policies, the tokens and the certificates are
/// loaded anew when they change, and on SIGHUP; what cannot be used leaves the last good one in
/// place.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockgate serve --record decisions.db\n  lockgate serve --listen 0.0.0.0:8443 --tls-cert tls.crt --tls-key tls.key --tokens tokens \\\n      --record postgres://lockgate@db.example.org/lockgate\n\nMake tokens with `lockgate token new`. `GET /openapi.json` describes the API."
)]
pub(super) struct Serve {
    #[command(flatten)]
    gate_file: GateFile,

    /// Where to listen. Anything but this machine itself takes tokens and TLS.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// Listen beyond this machine without tokens or without TLS: only behind something that sees
    /// to both.
    #[arg(long)]
    insecure_listen: bool,

    /// The server's certificate, and those between it and its authority, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The key of the certificate, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Authorities that vouch for client certificates, PEM; whose they are stands in the file of
    /// tokens.
    #[arg(long, value_name = "FILE", requires = "tls_cert", requires = "tokens")]
    client_ca: Option<PathBuf>,

    /// The file of tokens: who may ask for what. Without it everybody who can connect may.
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,

    #[command(flatten)]
    record: RecordOptions,

    /// Remove decisions from the record that are older than this, now and every hour: `90d` or
    /// `52w` [default: all are kept].
    #[arg(long, value_name = "AGE", value_parser = retention)]
    retain: Option<Age>,

    /// How the log is written: `text` or `json`.
    #[arg(long, value_name = "FORMAT", default_value_t)]
    log_format: LogFormat,

    /// What is logged: a level such as `info` or `debug`, or a filter such as
    /// `info,lockgate=debug`.
    #[arg(long, value_name = "FILTER", default_value = "info", env = "LOCKGATE_LOG")]
    log: String,

    #[command(flatten)]
    sandbox: SandboxOptions,

    #[command(flatten)]
    sources: SourceOptions,

    #[command(flatten)]
    mlflow: gateway::MlflowGateway,

    #[command(flatten)]
    kubernetes: Kubernetes,

    #[command(flatten)]
    limits: limits::Limits,
}

/// How admission reviews of Kubernetes are answered.
#[derive(Args, Debug)]
#[command(next_help_heading = "Kubernetes")]
struct Kubernetes {
    /// The environment that a namespace is, for gates with targets such as `env:prod`
    /// [default: one of the namespace's name]. Can be given several times.
    #[arg(long, value_name = "NAMESPACE=ENVIRONMENT", value_parser = environment)]
    kubernetes_environment: Vec<(String, String)>,

    /// A form of storage addresses that hold a model's name and version,
    /// `s3://models/{model}/{version}`. Can be given several times.
    #[arg(long, value_name = "FORM")]
    storage_uri: Vec<Mapping>,

    /// A model registry of Kubeflow that models may be taken from, as it stands in
    /// `model-registry://HOST:PORT/NAME/VERSION`. Can be given several times; all others are
    /// refused.
    #[arg(long, value_name = "HOST[:PORT]")]
    model_registry: Vec<RegistryHost>,

    /// Answer admission reviews without credentials, which an API server does not show unless it
    /// is told to. Keep others from reaching the server then.
    #[arg(long)]
    kubernetes_without_credentials: bool,
}

/// Less than a day would remove what is still being looked into.
fn retention(text: &str) -> Result<Age, String> {
    match text.parse()? {
        Age(age) if age < Duration::from_secs(24 * 60 * 60) => {
            Err("decisions are kept for a day at least; write `24h` or more".to_owned())
        }
        age => Ok(age),
    }
}

fn environment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((namespace, environment)) if !namespace.is_empty() && !environment.is_empty() => {
            format!("env:{environment}")
                .parse::<crate::model::Target>()
                .map_err(|_| format!("`{environment}` cannot be the name of an environment"))?;
            Ok((namespace.to_owned(), environment.to_owned()))
        }
        _ => Err("write it as NAMESPACE=ENVIRONMENT, such as `ml-prod=prod`".to_owned()),
    }
}

impl Serve {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        self.check_exposure()?;
        self.mlflow.upstream()?;
        // Found before anything is started, and told as `lockgate config check` tells it.
        if !self.gate_file.path.exists() {
            bail!(
                "there is no gate file `{}`; write one with `lockgate init`, or name another with --config",
                self.gate_file.path.display()
            );
        }
        limits::raise_open_files();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("serve")
            .thread_stack_size(STACK)
            .enable_all()
            .build()
            .context("cannot start the server's threads")?;
        let color = terminal.colored_errors();
        let telemetry = Telemetry::start(self.log_format, &self.log, color, runtime.handle())?;
        let served = runtime.block_on(self.serve(terminal));
        telemetry.end();
        // What still runs is a policy that nobody waits for.
        runtime.shutdown_timeout(Duration::from_millis(100));
        match served {
            Ok(Err(ServeError::Gates(unusable))) => {
                let lines: Vec<_> = unusable.details.lines().map(plain).collect();
                terminal.tell(format_args!("{}\n", lines.join("\n")));
                Ok(Exit::Usage)
            }
            Ok(served) => {
                served?;
                Ok(Exit::Done)
            }
            Err(error) => Err(error),
        }
    }

    async fn serve(&self, terminal: &Terminal) -> anyhow::Result<Result<(), ServeError>> {
        let tls = self.tls()?;
        let doorkeeper = match &self.tokens {
            None => Doorkeeper::open(),
            Some(path) => Doorkeeper::guarded(Credentials::read(path)?),
        };
        let cache = self.sandbox.cache(terminal);
        let sources = self.sources.sources(&self.sandbox, cache.as_ref(), terminal);
        let sandbox = Sandbox::new(cache, |policy| {
            tracing::info!(%policy, "compiling a policy for this machine");
        })
        .context("cannot run policies here")?;
        let loader = Arc::new(Loader::new(self.gate_file.path.clone(), sandbox, sources));
        let record = Record::open(&self.record.location()?, record::Options::write())
            .await
            .context("cannot open the record")?;
        let mut metrics = Metrics::new();
        let counts = Counts::registered(metrics.registry());
        let retention = self.retain.map(|Age(age)| Retention::new(age, metrics.registry()));
        let metrics = Arc::new(metrics);
        let gatekeeper =
            Gatekeeper::new(self.limits.capacity(), record.clone(), Arc::clone(&metrics))
                .context("cannot start the threads that judge")?;
        let body = self.limits.body();
        let added = self.mlflow.build(&gatekeeper, tls.is_some(), body.clone(), counts)?;
        let (gateway, collector) = added.map(|added| (added.gateway, added.collector)).unzip();
        let stop = stop_signals()?;
        let listener = TcpListener::bind(self.listen).await.with_context(|| {
            format!("cannot listen on `{}`; choose another address with --listen", self.listen)
        })?;
        let address = listener.local_addr()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        terminal.print(&format!("lockgate listens on {scheme}://{address}\n"))?;
        let collectors: Vec<Arc<dyn Collect>> = collector.into_iter().collect();
        let registry = collectors.first().map(|collector| collector.registry().to_owned());
        let setup = Setup {
            listener,
            tls,
            doorkeeper,
            tokens: self.tokens.clone(),
            gatekeeper,
            loader,
            record,
            retention,
            collectors,
            kubernetes: self.kubernetes_settings(registry),
            metrics,
            body,
            connections: self.limits.connections(),
            gateway,
        };
        Ok(serve(setup, stop).await)
    }

    /// Refuses to be reachable from elsewhere without both credentials and TLS.
    fn check_exposure(&self) -> anyhow::Result<()> {
        if self.listen.ip().is_loopback() || self.insecure_listen {
            return Ok(());
        }
        let missing = match (&self.tokens, &self.tls_cert) {
            (Some(_), Some(_)) => return Ok(()),
            (None, Some(_)) => "--tokens is",
            (Some(_), None) => "--tls-cert and --tls-key are",
            (None, None) => "--tokens, --tls-cert and --tls-key are",
        };
        bail!(
            "`{}` can be reached from other machines, and {missing} not given; give what is missing, listen on 127.0.0.1, or say --insecure-listen",
            self.listen
        )
    }

    fn tls(&self) -> anyhow::Result<Option<Tls>> {
        let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) else {
            return Ok(None);
        };
        let files = TlsFiles {
            certificate: certificate.clone(),
            key: key.clone(),
            client_authority: self.client_ca.clone(),
        };
        Ok(Some(Tls::load(files)?))
    }

    fn kubernetes_settings(&self, registry: Option<String>) -> KubernetesSettings {
        let Kubernetes {
            kubernetes_environment,
            storage_uri,
            model_registry,
            kubernetes_without_credentials,
        } = &self.kubernetes;
        let environments = kubernetes_environment.iter().cloned().collect();
        KubernetesSettings {
            rules: Rules {
                mappings: storage_uri.clone(),
                registries: model_registry.clone(),
                environments,
            },
            registry,
            open: *kubernetes_without_credentials,
        }
    }
}

/// Ends when the process is told to end.
fn stop_signals() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to stop");
    })
}
