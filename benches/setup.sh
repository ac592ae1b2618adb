#!/usr/bin/env bash
# Builds what the benches measure against: the bare program, and a policy in JavaScript.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked --example bare-wasmtime --example bare-axum

missing=()
command -v wrk >/dev/null 2>&1 || missing+=(wrk)
command -v nginx >/dev/null 2>&1 || missing+=(nginx-light)
if [ ${#missing[@]} -gt 0 ] && command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
    { apt-get update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >/dev/null; }
fi

component=target/bench/javascript.wasm
if ! command -v npm >/dev/null 2>&1; then
  printf 'benches: no npm, so the policy in JavaScript is left out; install Node.js 20 or newer\n'
  exit 0
fi
if [ ! -f "$component" ] || [ benches/javascript/policy.js -nt "$component" ] || [ sdk/wit/policy.wit -nt "$component" ]; then
  (cd benches/javascript && npm ci --no-audit --no-fund --loglevel=error)
  node benches/javascript/build.js "$component"
fi
