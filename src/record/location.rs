//! Where a record is: a file, or a PostgreSQL database.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::net::percent_decoded;

/// Where a record is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite database in this file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(Box<Database>),
}

/// A PostgreSQL database and how to get at it.
#[derive(Clone, PartialEq, Eq)]
pub struct Database {
    pub(super) config: Config,
    /// Certificates that are trusted to vouch for the server, instead of the system's.
    pub(super) authorities: Option<PathBuf>,
}

/// Text that is no location of a record.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct InvalidLocation(String);

const SHAPES: &str =
    "write a path, `sqlite:PATH`, or `postgres://USER@HOST/DATABASE?sslrootcert=FILE`";

impl FromStr for Location {
    type Err = InvalidLocation;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Database::from_url(text).map(|database| Self::Postgres(Box::new(database)));
        }
        let path = text.strip_prefix("sqlite:").unwrap_or(text);
        // The text may hold a password, so it is not repeated.
        if let Some((scheme, _)) = text.split_once("://") {
            let scheme: String = scheme.chars().take(100).collect();
            return Err(InvalidLocation(format!(
                "`{scheme}://` is no place for a record; {SHAPES}"
            )));
        }
        // Nor is it where the URL was mistyped.
        if ["postgres", "postgresql"].iter().any(|scheme| {
            text.strip_prefix(scheme).is_some_and(|rest| rest.starts_with([':', '/']))
        }) && text.contains('@')
        {
            return Err(InvalidLocation(format!(
                "a PostgreSQL URL begins with `postgres://`; {SHAPES}"
            )));
        }
        if path.is_empty() || path.contains('\0') {
            return Err(InvalidLocation(format!("`{path}` is no place for a record; {SHAPES}")));
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self::Sqlite(path.to_owned())
    }
}

impl Database {
    fn from_url(url: &str) -> Result<Self, InvalidLocation> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut rest = Vec::new();
        let mut authorities = None;
        let mut mode = None;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslrootcert", path)) => authorities = Some(PathBuf::from(decoded(path)?)),
                Some(("sslmode", word)) => mode = Some(ssl_mode(word)?),
                _ => rest.push(pair),
            }
        }
        let mut config: Config = format!("{base}?{}", rest.join("&"))
            .parse()
            .map_err(|error| InvalidLocation(format!("not a PostgreSQL URL: {error}; {SHAPES}")))?;
        let mode =
            mode.unwrap_or(if is_local(&config) { SslMode::Disable } else { SslMode::Require });
        config.ssl_mode(mode);
        if config.get_application_name().is_none() {
            config.application_name("lockgate");
        }
        Ok(Self { config, authorities })
    }
}

fn ssl_mode(word: &str) -> Result<SslMode, InvalidLocation> {
    match word {
        "disable" => Ok(SslMode::Disable),
        // The server's certificate and name are always verified.
        "require" | "verify-full" => Ok(SslMode::Require),
        _ => Err(InvalidLocation(
            "`sslmode` can be `verify-full`, which verifies the server, or `disable`; anything between the two would trust whoever answers"
                .to_owned(),
        )),
    }
}

/// Whether the way to the database does not leave the machine.
fn is_local(config: &Config) -> bool {
    let addresses = config.get_hostaddrs();
    let hosts = config.get_hosts();
    addresses.iter().all(IpAddr::is_loopback)
        && hosts.iter().all(|host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => {
                name == "localhost"
                    || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }
        })
}

fn decoded(text: &str) -> Result<String, InvalidLocation> {
    let (bytes, broken) = percent_decoded(text.as_bytes());
    let path = String::from_utf8(bytes).ok().filter(|path| !broken && !path.is_empty());
    path.ok_or_else(|| InvalidLocation("`sslrootcert` is not the path of a file".to_owned()))
}

impl fmt::Display for Location {
    /// Without passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(database) => database.fmt(f),
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.config.get_user() {
            write!(f, "{user}@")?;
        }
        for (index, host) in self.config.get_hosts().iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            match host {
                Host::Tcp(name) => f.write_str(name)?,
                Host::Unix(path) => path.display().fmt(f)?,
            }
            let ports = self.config.get_ports();
            if let Some(port) = ports.get(index).or(ports.first()) {
                write!(f, ":{port}")?;
            }
        }
        if let Some(name) = self.config.get_dbname() {
            write!(f, "/{name}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> SslMode {
        match url.parse().unwrap() {
            Location::Postgres(database) => database.config.get_ssl_mode(),
            Location::Sqlite(path) => panic!("{}", path.display()),
        }
    }

    #[test]
    fn a_path_is_a_file() {
        for text in ["sqlite:/a/b.db", "/a/b.db"] {
            assert_eq!(text.parse(), Ok(Location::Sqlite("/a/b.db".into())));
        }
    }

    #[test]
    fn shows_no_password() {
        let location: Location = "postgres://ada:secret@db.example.org:5433/gates".parse().unwrap();
        assert_eq!(location.to_string(), "postgres://ada@db.example.org:5433/gates");
        assert_eq!(format!("{location:?}"), location.to_string());
        for text in ["mysql://ada:secret@db", "postgres://ada:secret@db?port=x"] {
            let message = text.parse::<Location>().unwrap_err().to_string();
            assert!(!message.contains("secret"), "{message}");
        }
    }

    #[test]
    fn leaves_the_machine_only_over_tls() {
        assert_eq!(mode("postgres://ada@db.example.org/gates"), SslMode::Require);
        assert_eq!(mode("postgres://ada@10.0.0.7/gates"), SslMode::Require);
        assert_eq!(mode("postgres://ada@localhost,db.example.org/gates"), SslMode::Require);
        assert_eq!(mode("postgres://ada@127.0.0.1/gates"), SslMode::Disable);
        assert_eq!(mode("postgres:///gates?host=/run/postgresql"), SslMode::Disable);
        assert_eq!(mode("postgres://ada@db.example.org/gates?sslmode=disable"), SslMode::Disable);
        assert!("postgres://db/gates?sslmode=prefer".parse::<Location>().is_err());
    }

    #[test]
    fn reads_the_path_of_authorities() {
        let location = "postgres://db/gates?sslrootcert=%2Fetc%2Fca.pem&connect_timeout=2".parse();
        let Ok(Location::Postgres(database)) = location else { panic!("{location:?}") };
        assert_eq!(database.authorities.as_deref(), Some(Path::new("/etc/ca.pem")));
        assert!("postgres://db/gates?sslrootcert=%zz".parse::<Location>().is_err());
    }
}
