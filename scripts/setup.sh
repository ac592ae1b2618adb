#!/usr/bin/env bash
# Installs what building, testing and linting lockgate need and this machine lacks, and says what
# it uses. Safe to run again: what is there is left alone.
#
#   scripts/setup.sh [build|test|lint]...
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

[ $# -gt 0 ] || set -- build
rust_toolchain
for purpose in "$@"; do
  case $purpose in
    build) wasm_target ;;
    test) wasm_target; postgresql; cargo_tool cargo-nextest; mlflow_server; browser; schema_fuzzer ;;
    lint) wasm_target; cargo_tool cargo-deny ;;
    *) die "unknown purpose: $purpose" ;;
  esac
done
