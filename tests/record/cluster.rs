//! PostgreSQL as it is installed here: a server for each test that needs one, on a socket in a
//! directory of its own, and gone with the test.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

/// A server of PostgreSQL.
pub(crate) struct Cluster {
    folder: TempDir,
    server: Option<Child>,
    port: u16,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let mut cluster = Self::stopped();
        cluster.go_on();
        cluster
    }

    fn stopped() -> Self {
        let folder = tempfile::Builder::new().prefix("lockgate-").tempdir_in("/tmp").unwrap();
        run(Command::new("cp").arg("-a").arg(template()).arg(folder.path().join("data")));
        // On the socket the port is but a part of its name.
        let cluster = Self { folder, server: None, port: 5432 };
        if let Some((user, group)) = unprivileged() {
            chown(cluster.folder.path(), Some(user), Some(group)).unwrap();
        }
        cluster
    }

    /// One that also listens on loopback, with TLS by this key.
    pub(crate) fn start_with_tls(certificate: &str, key: &str) -> Self {
        let mut cluster = Self::stopped();
        let data = cluster.data();
        for (name, content) in [("server.crt", certificate), ("server.key", key)] {
            let path = data.join(name);
            std::fs::write(&path, content).unwrap();
            run(Command::new("chmod").arg("600").arg(&path));
            if let Some((user, group)) = unprivileged() {
                chown(&path, Some(user), Some(group)).unwrap();
            }
        }
        let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        cluster.port = probe.local_addr().unwrap().port();
        drop(probe);
        let access = data.join("pg_hba.conf");
        std::fs::write(access, "local all all trust\nhostssl all all 127.0.0.1/32 trust\n")
            .unwrap();
        cluster.go_on_with(&["-c", "listen_addresses=127.0.0.1", "-c", "ssl=on"]);
        cluster
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join(format!(".s.PGSQL.{}", self.port))
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        let socket = self.folder.path().to_str().unwrap().replace('/', "%2F");
        format!("postgres://postgres@{socket}:{}/postgres", self.port)
    }

    pub(crate) async fn client(&self) -> tokio_postgres::Client {
        let config: tokio_postgres::Config = self.url().parse().unwrap();
        let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Starts the server again.
    pub(crate) fn go_on(&mut self) {
        self.go_on_with(&["-c", "listen_addresses="]);
    }

    fn go_on_with(&mut self, options: &[&str]) {
        let socket = self.folder.path().to_str().unwrap().to_owned();
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let mut command = as_unprivileged(&program("postgres"));
        command
            .args(["-D", self.data().to_str().unwrap(), "-k", &socket, "-p"])
            .arg(self.port.to_string())
            .args(options)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let mut server = command.spawn().unwrap();
        let ready = || {
            let asked = Command::new(program("pg_isready"))
                .args(["-q", "-h", &socket, "-p"])
                .arg(self.port.to_string())
                .status();
            asked.unwrap().success()
        };
        while !ready() {
            let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap();
            assert!(server.try_wait().unwrap().is_none(), "{}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
        self.server = Some(server);
    }

    /// Ends the server without a farewell, as a machine that loses its power does.
    pub(crate) fn crash(&mut self) {
        if let Some(mut server) = self.server.take() {
            // What `pg_ctl stop -m immediate` sends.
            let id = server.id().to_string();
            run(Command::new("kill").args(["-QUIT", &id]));
            server.wait().unwrap();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.crash();
    }
}

/// A data directory to copy, made once. Tests are processes of their own, so a file keeps two from
/// making it at a time.
fn template() -> PathBuf {
    let version = Command::new(program("postgres")).arg("--version").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let name: String = version.chars().filter(char::is_ascii_alphanumeric).collect();
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let lock = std::fs::File::create(root.join(format!("{name}.lock"))).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let template = root.join(&name);
    if !template.exists() {
        // Where the user of the server gets at it.
        let making = tempfile::Builder::new().prefix("lockgate-").tempdir_in("/tmp").unwrap();
        if let Some((user, group)) = unprivileged() {
            chown(making.path(), Some(user), Some(group)).unwrap();
        }
        let data = making.path().join("data");
        run(as_unprivileged(&program("initdb")).arg("-D").arg(&data).args([
            "--no-sync",
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--wal-segsize=1",
        ]));
        let copy = template.with_extension("new");
        run(Command::new("cp").arg("-a").arg(&data).arg(&copy));
        std::fs::rename(copy, &template).unwrap();
    }
    drop(lock);
    template
}

/// A program of PostgreSQL. Debian keeps those of the server out of the way.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<_> =
        versions.map(|version| version.unwrap().path().join("bin").join(name)).collect();
    found.retain(|path| path.exists());
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from(name))
}

/// Root must not run the server; who does instead.
fn unprivileged() -> Option<(u32, u32)> {
    let id = |option| {
        let told = Command::new("id").args([option, "postgres"]).output().unwrap();
        String::from_utf8(told.stdout).unwrap().trim().parse().unwrap()
    };
    rustix::process::geteuid().is_root().then(|| (id("-u"), id("-g")))
}

/// A command that ends with the test, even when that is killed.
fn as_unprivileged(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if let Some((user, group)) = unprivileged() {
        command.args([format!("--reuid={user}"), format!("--regid={group}")]).arg("--clear-groups");
    }
    command.args(["--pdeathsig", "QUIT", "--"]).arg(program).current_dir("/tmp");
    command
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
