#!/bin/sh
# npm run torture: installs what is missing, and tortures. `npm run torture -- kill-matrix` kills instead.
set -eu
cd "$(dirname "$0")/../.."
sh test/setup/install.sh gdb python3 procps gunicorn
program=torture
[ "${1-}" != kill-matrix ] || { program=kill-matrix; shift; }
exec node --import tsx "test/torture/$program.ts" "$@"
