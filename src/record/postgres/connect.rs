//! Connections to the database: how they are secured, bounded in time, and set up.

use std::error::Error as _;
use std::time::Duration;

use rustls::ClientConfig;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls_improved::MakeRustlsConnect;

use crate::net::{client_config, file_roots, machine_roots};
use crate::record::RecordError;
use crate::record::location::Database;

/// How long making a connection may take. Less than an entry's deadline.
const CONNECT: Duration = Duration::from_secs(3);

/// Makes a connection on which no statement runs for longer than `limit`.
pub(super) async fn connect(
    database: &Database,
    limit: Option<Duration>,
) -> Result<Client, RecordError> {
    match tokio::time::timeout(CONNECT, set_up(database, limit)).await {
        Ok(result) => result,
        Err(_) => Err(RecordError::unavailable(format_args!(
            "`{database}` did not answer within {} s",
            CONNECT.as_secs()
        ))),
    }
}

async fn set_up(database: &Database, limit: Option<Duration>) -> Result<Client, RecordError> {
    let failed = |error: tokio_postgres::Error| {
        RecordError::unavailable(format_args!("`{database}`: {}", told(&error)))
    };
    let client = dial(database).await?;
    let milliseconds = limit.map_or(0, |limit| limit.as_millis());
    // The sessions of a process that has died are not to keep others waiting.
    client
        .batch_execute(&format!(
            "SET statement_timeout = {milliseconds}; SET lock_timeout = {milliseconds}; \
             SET idle_in_transaction_session_timeout = '60s'"
        ))
        .await
        .map_err(failed)?;
    let settings = client
        .query_one("SELECT current_setting('synchronous_commit'), current_setting('fsync')", &[])
        .await
        .map_err(failed)?;
    if settings.get::<_, String>(0) == "off" {
        client.batch_execute("SET synchronous_commit = on").await.map_err(failed)?;
    }
    if settings.get::<_, String>(1) == "off" {
        let detail = "the server runs with `fsync = off`, so that nothing that it takes is durable; turn it on";
        return Err(RecordError::unusable(database, detail));
    }
    Ok(client)
}

async fn dial(database: &Database) -> Result<Client, RecordError> {
    let config: &Config = &database.config;
    let failed = |error: tokio_postgres::Error| {
        RecordError::unavailable(format_args!("`{database}`: {}", told(&error)))
    };
    // The connection ends with its client; what ends it earlier, the client is told.
    if config.get_ssl_mode() == SslMode::Disable {
        let (client, connection) = config.connect(NoTls).await.map_err(failed)?;
        tokio::spawn(connection);
        return Ok(client);
    }
    let tls = MakeRustlsConnect::new(tls(database)?);
    let (client, connection) = config.connect(tls).await.map_err(failed)?;
    tokio::spawn(connection);
    Ok(client)
}

fn tls(database: &Database) -> Result<ClientConfig, RecordError> {
    let roots = match &database.authorities {
        Some(path) => file_roots(path)
            .map_err(|error| RecordError::unusable(database, format_args!("`sslrootcert`, {error}"))),
        None => machine_roots().map_err(|_| {
            let detail = "no certificate is there to verify the server by; name a file of them with `sslrootcert`";
            RecordError::unusable(database, detail)
        }),
    };
    client_config(roots?).map_err(|error| RecordError::unusable(database, error))
}

/// What went wrong, in the words of whoever knows most of it.
pub(super) fn told(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        // Without its detail, which may quote what was to be written.
        (Some(database), _) => format!("{} ({})", database.message(), database.code().code()),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}

pub(super) fn unavailable(error: &tokio_postgres::Error) -> RecordError {
    RecordError::unavailable(told(error))
}
