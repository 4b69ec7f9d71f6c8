#!/bin/sh
# npm run before-oom: installs what is missing, builds, and runs the services.
set -eu
cd "$(dirname "$0")/../.."
sh test/setup/install.sh gdb python3 bpftrace
sh test/setup/mount-tracefs.sh
sh test/setup/build.sh
node --import tsx test/bench/before-oom.ts
