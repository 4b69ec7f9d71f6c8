#!/bin/sh
# npm test: installs what is missing, builds, lints and tests everything, with real gdb and real Python.
set -eu
cd "$(dirname "$0")/.."
sh test/setup/install.sh gdb python3 gcc libc6-dev binutils procps systemd uwsgi-core uwsgi-plugin-python3 gunicorn chromium \
  bpftrace
# A container runtime with its seccomp filter, and what renders a Helm chart.
sh test/setup/install.sh runc golang-github-containers-common golang-go golang-github-masterminds-sprig-dev \
  golang-k8s-sigs-yaml-dev
sh test/setup/mount-tracefs.sh
# Where the package is installed in a test.
[ "$(id -u)" != 0 ] || sh test/setup/make-debian.sh >/dev/null || echo 'no Debian could be made' >&2
# Where dumps are sent to in a test.
[ "$(id -u)" != 0 ] || sh test/setup/make-s3-server.sh >/dev/null || echo 'no S3 server could be made' >&2
sh test/setup/build.sh
npm run --silent lint
npm run --silent test:fast
