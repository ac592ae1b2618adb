#!/usr/bin/env bash
# Prints the options of nextest by which tests are left out that this machine does not let run, and
# says on standard error which and why.
set -euo pipefail

if ! unshare --map-root-user --mount sh -c 'mount -t tmpfs -o size=4m none "$0"' /tmp >/dev/null 2>&1; then
  echo "test: left out: the record on a disk that is full; this user may not mount a file system here (a limit on the size of its file is tested instead)" >&2
  echo "-E 'not test(a_small_disk_that_is_full)'"
fi
