#!/usr/bin/env bash
# Judges two versions of a model on real evidence files: one may go to production, one may not.
set -euo pipefail
root=$(dirname "$0")/..
lockgate=$(realpath -- "${LOCKGATE:-$root/target/release/lockgate}")
cd "$root/examples/fraud-detector"

# The evidence is from that morning, and the gate wants it fresh.
at=2026-11-23T12:00:00Z

check() {
  local expected=$1 version=$2 who=$3 code=0
  printf '\n$ lockgate check fraud-detector/%s --to stage:Production --evidence version-%s --baseline champion --requested-by %s --at %s\n\n' "$version" "$version" "$who" "$at"
  "$lockgate" check "fraud-detector/$version" --to stage:Production --evidence "version-$version" \
    --baseline champion --requested-by "$who" --at "$at" || code=$?
  printf '\nexit code %s\n' "$code"
  if [ "$code" -ne "$expected" ]; then
    printf 'expected exit code %s\n' "$expected" >&2
    exit 1
  fi
}

check 0 1 alex
check 1 2 sam
