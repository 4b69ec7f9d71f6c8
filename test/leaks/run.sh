#!/bin/sh
# npm run leaks: installs what is missing, builds, and runs the corpus. `npm run leaks -- --program v05` runs one.
set -eu
cd "$(dirname "$0")/../.."
sh test/setup/install.sh gdb python3 python3-numpy python3-prometheus-client
sh test/setup/build.sh
exec node --import tsx test/leaks/leaks.ts "$@"
