#!/bin/sh
# npm test: installs what is missing, builds, lints and tests everything, with real gdb and real Python.
set -eu
cd "$(dirname "$0")/.."
sh test/setup/install.sh gdb python3 gcc libc6-dev binutils procps systemd uwsgi-core uwsgi-plugin-python3 gunicorn chromium \
  bpftrace
sh test/setup/mount-tracefs.sh
sh test/setup/build.sh
npm run --silent lint
npm run --silent test:fast
