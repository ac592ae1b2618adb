#!/usr/bin/env bash
# Installs what building, testing and linting lockgate need and this machine lacks, and says what
# it uses. Safe to run again: what is there is left alone.
#
#   scripts/setup.sh [build|test|authoring|lint]...
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif has sudo; then sudo "$@"
  else die "root is needed for: $*"
  fi
}

apt_install() {
  say "installing with apt-get: $*"
  # Lists may be missing or old; an install that works with what is there needs no update.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >/dev/null 2>&1 ||
    { as_root apt-get update >/dev/null && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >/dev/null; }
}

rust_toolchain() {
  has cargo || die "no Rust toolchain; install rustup as https://rustup.rs tells, then run this again"
  if ! has cc; then
    has apt-get || die "no C compiler, which linking needs; install one"
    apt_install gcc libc6-dev
  fi
  say "building with $(rustc --version)"
}

# Policies are built for wasm32-unknown-unknown. Three ways, in the order of their cost.
wasm_target() {
  local libdir
  libdir=$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null || true)
  if [ -n "$libdir" ] && compgen -G "$libdir/libcore-*.rlib" >/dev/null; then
    say "policies: the toolchain's own wasm32-unknown-unknown target"
    return
  fi
  if has rustup && rustup target add wasm32-unknown-unknown >/dev/null 2>&1; then
    say "policies: wasm32-unknown-unknown, added with rustup"
    return
  fi
  if [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] && [ -d /usr/lib/rustlib/src/rust/library ]; then
    say "policies: Debian's toolchain, the standard library from source"
    return
  fi
  has apt-get || die "no wasm32-unknown-unknown target; run: rustup target add wasm32-unknown-unknown"
  say "rustup has no wasm32-unknown-unknown target to add here; taking Debian's toolchain and sources"
  apt_install rustc-web cargo-web rust-web-src
  say "policies: $(/usr/bin/rustc --version), the standard library from source"
}

# Tests of the record start servers of their own.
postgresql() {
  local found
  found=$(compgen -G '/usr/lib/postgresql/*/bin/postgres' | sort -V | tail -n 1 || true)
  [ -n "$found" ] || found=$(command -v postgres || true)
  if [ -z "$found" ]; then
    has apt-get || die "no PostgreSQL, against which the record is tested; install its server"
    # Nobody has asked for a server that runs here for good.
    as_root mkdir -p /etc/postgresql-common/createcluster.d
    echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.d/lockgate.conf >/dev/null
    apt_install postgresql util-linux
    found=$(compgen -G '/usr/lib/postgresql/*/bin/postgres' | sort -V | tail -n 1)
  fi
  say "$("$found" --version)"
}

cargo_tool() {
  local tool=$1
  if has "$tool"; then
    say "$("$tool" --version 2>/dev/null | head -n 1)"
    return
  fi
  say "installing $tool with cargo; this takes some minutes"
  cargo install --locked --quiet "$tool"
}

# The registry that tests run against, in a virtual environment of its own.
mlflow_server() {
  local version=3.17.2 venv=target/venv
  # With what its basic authentication needs.
  if [ "$("$venv/bin/python" -c 'import importlib.metadata as m, flask_wtf; print(m.version("mlflow"))' 2>/dev/null)" = "$version" ]; then
    say "MLflow $version"
    return
  fi
  if ! has python3 || ! python3 -c 'import venv, ensurepip' >/dev/null 2>&1; then
    has apt-get || die "no Python 3 with venv, which the tests on MLflow need; install one"
    apt_install python3 python3-venv
  fi
  say "installing MLflow $version into $venv; this takes a minute"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "mlflow[auth]==$version"
}

# The browser in which tests look at MLflow's web page.
browser() {
  if has chromium && has chromedriver; then
    say "$(chromedriver --version | cut -d' ' -f1,2)"
    return
  fi
  has apt-get || die "no chromium with chromedriver, which the tests on MLflow's web page need; install both"
  apt_install chromium chromium-driver
}

# The fuzzer that holds the server against its own description.
schema_fuzzer() {
  local version=4.32.5 venv=target/fuzzer
  if [ "$("$venv/bin/python" -c 'import importlib.metadata as m; print(m.version("schemathesis"))' 2>/dev/null)" = "$version" ]; then
    say "schemathesis $version"
    return
  fi
  if ! has python3 || ! python3 -c 'import venv, ensurepip' >/dev/null 2>&1; then
    has apt-get || die "no Python 3 with venv, which the fuzzer needs; install one"
    apt_install python3 python3-venv
  fi
  say "installing schemathesis $version into $venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"
}

# What builds the manifests, the schemas that they are held against, and KServe's own models of its
# resources. Its package wants whole servers for models beside them, which nothing here needs.
kubernetes_tools() {
  local kserve=0.21.0 client=35.0.0 schemas=1.37.0 venv=target/kubernetes found
  if ! has kubectl; then
    has apt-get || die "no kubectl, which builds the manifests; install one"
    apt_install kubernetes-client
  fi
  found=$("$venv/bin/python" -c 'import importlib.metadata as m; print(m.version("kserve"), m.version("kubernetes"), m.version("kubernetes-validate"))' 2>/dev/null || true)
  if [ "$found" != "$kserve $client $schemas" ]; then
    if ! has python3 || ! python3 -c 'import venv, ensurepip' >/dev/null 2>&1; then
      has apt-get || die "no Python 3 with venv, which the tests on Kubernetes need; install one"
      apt_install python3 python3-venv
    fi
    say "installing the models of KServe $kserve and the schemas of Kubernetes $schemas into $venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "kubernetes==$client" "kubernetes-validate==$schemas"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps "kserve==$kserve"
  fi
  say "kubectl, KServe's models $kserve, schemas of Kubernetes $schemas"
}

# What builds and tests policies in JavaScript: the tools of a new project, from its own lock file,
# installed once for all tests.
javascript_tools() {
  local oldest=20 folder=target/authoring/js wanted
  if ! has node || ! has npm; then
    has apt-get || die "no Node.js with npm, which the tests of policies in JavaScript need; install version $oldest or newer"
    apt_install nodejs npm
  fi
  [ "$(node --version | sed 's/^v\([0-9]*\).*/\1/')" -ge "$oldest" ] ||
    die "Node.js $(node --version) is too old for building policies; install version $oldest or newer"
  wanted=$(cat sdk/templates/js/package.json sdk/templates/js/package-lock.json sdk/js/package.json | cksum)
  if [ "$(cat "$folder/installed" 2>/dev/null)" != "$wanted" ]; then
    say "installing what builds policies in JavaScript into $folder; this takes a minute"
    rm -rf "$folder"
    mkdir -p "$folder/vendor/lockgate-sdk"
    cp sdk/js/package.json "$folder/vendor/lockgate-sdk"
    for file in package.json package-lock.json; do
      sed 's/{{name}}/tools/' "sdk/templates/js/$file" >"$folder/$file"
    done
    (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error)
    printf '%s\n' "$wanted" >"$folder/installed"
  fi
  say "policies in JavaScript: Node.js $(node --version), componentize-js $(node -p "require('./$folder/package.json').devDependencies['@bytecodealliance/componentize-js']")"
}

# The same for Python.
python_tools() {
  local folder=target/authoring/python wanted
  if ! has python3 || ! python3 -c 'import venv, ensurepip' >/dev/null 2>&1; then
    has apt-get || die "no Python 3 with venv, which the tests of policies in Python need; install version 3.10 or newer"
    apt_install python3 python3-venv
  fi
  wanted=$(cksum <sdk/templates/python/requirements-dev.txt)
  if [ "$(cat "$folder/installed" 2>/dev/null)" != "$wanted" ]; then
    say "installing what builds policies in Python into $folder"
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check -r sdk/templates/python/requirements-dev.txt
    printf '%s\n' "$wanted" >"$folder/installed"
  fi
  say "policies in Python: $("$folder/bin/python" --version), $("$folder/bin/componentize-py" --version)"
}

# The registry that policies are pushed to in tests, and other tools that read and sign artifacts.
artifact_tools() {
  local oras=0.2.43 securesystemslib=1.6.0 venv=target/oci
  if ! has docker-registry || ! has skopeo || ! has openssl; then
    has apt-get || die "no docker-registry, skopeo or openssl, which the tests on sharing policies need; install them"
    apt_install docker-registry skopeo openssl
  fi
  say "$(docker-registry --version | sed 's/.* /docker-registry /'), $(skopeo --version | cut -d' ' -f1,3)"
  if [ "$("$venv/bin/python" -c 'import importlib.metadata as m; print(m.version("oras"), m.version("securesystemslib"))' 2>/dev/null)" = "$oras $securesystemslib" ]; then
    say "ORAS $oras, securesystemslib $securesystemslib"
    return
  fi
  if ! has python3 || ! python3 -c 'import venv, ensurepip' >/dev/null 2>&1; then
    has apt-get || die "no Python 3 with venv, which the tests on sharing policies need; install one"
    apt_install python3 python3-venv
  fi
  say "installing ORAS $oras and securesystemslib $securesystemslib into $venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "oras==$oras" "securesystemslib[crypto]==$securesystemslib"
}

[ $# -gt 0 ] || set -- build
rust_toolchain
for purpose in "$@"; do
  case $purpose in
    build) wasm_target ;;
    test) wasm_target; postgresql; cargo_tool cargo-nextest; mlflow_server; browser; schema_fuzzer; kubernetes_tools; artifact_tools; javascript_tools; python_tools ;;
    authoring) javascript_tools; python_tools ;;
    lint) wasm_target; cargo_tool cargo-deny ;;
    *) die "unknown purpose: $purpose" ;;
  esac
done
