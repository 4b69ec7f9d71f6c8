#!/bin/sh
# Brings node_modules and dist up to date, from a bare checkout too.
set -eu
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo 'installing npm packages' >&2
  npm ci --loglevel=error
fi
npm run --silent build
