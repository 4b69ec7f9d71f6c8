#!/bin/sh
# npm run bench: installs what is missing, builds, and measures. BENCH_MILLIONS and BENCH_PROCESSES make it smaller.
set -eu
cd "$(dirname "$0")/../.."
sh test/setup/install.sh gdb python3 procps
sh test/setup/build.sh
node --import tsx test/bench/bench.ts
