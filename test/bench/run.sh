#!/bin/sh
# npm run bench: installs what is missing, builds, and measures. BENCH_MILLIONS and BENCH_PROCESSES make it smaller,
# and BENCH_PARTS=captures,graph,watching,probe picks.
set -eu
cd "$(dirname "$0")/../.."
sh test/setup/install.sh gdb python3 procps bpftrace procdump
sh test/setup/mount-tracefs.sh
sh test/setup/build.sh
node --import tsx test/bench/bench.ts
