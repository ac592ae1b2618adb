#!/usr/bin/env bash
# Builds what the benches measure against: the bare program, and policies in JavaScript and Python.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked --bin lockgate --example bare-wasmtime --example bare-axum

missing=()
command -v wrk >/dev/null 2>&1 || missing+=(wrk)
command -v nginx >/dev/null 2>&1 || missing+=(nginx-light)
if [ ${#missing[@]} -gt 0 ] && command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
    { apt-get update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >/dev/null; }
fi

if ! command -v npm >/dev/null 2>&1; then
  printf 'benches: no npm, so policies in JavaScript and Python are left out; install Node.js 20 or newer\n'
  exit 0
fi
scripts/setup.sh authoring

# A project as an author has it, with the policy of the bench in place of the template's.
built_policy() {
  local language=$1 name=$2 source=$3 project=target/bench/$1 component=target/bench/$2.wasm
  if [ -f "$component" ] && [ "$component" -nt "benches/policies/$source" ] && [ "$component" -nt target/release/lockgate ]; then
    return
  fi
  rm -rf "$project"
  target/release/lockgate policy new least-value --lang "$language" --dir "$project"
  cp "benches/policies/$source" "$project/src/policy.${source##*.}"
  case $language in
    js)
      mkdir "$project/node_modules"
      ln -s "$PWD"/target/authoring/js/node_modules/* "$project/node_modules"
      ln -sfn ../vendor/lockgate-sdk "$project/node_modules/lockgate-sdk"
      ;;
    python)
      ln -s "$PWD/target/authoring/python" "$project/.venv"
      ;;
  esac
  target/release/lockgate policy build "$project" -o "$component"
}
built_policy js javascript least_value.js
built_policy python python least_value.py
