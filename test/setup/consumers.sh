#!/bin/sh
# npm run test:consumers: fetches the tools that exports are for into a cache directory (some 400 MB: the code of
# Chrome's DevTools, memlab, Go's pprof) and tries the exports with them.
set -eu
cd "$(dirname "$0")/../.."
home="${XDG_CACHE_HOME:-$HOME/.cache}/pyheap-watchd/consumers"
mkdir -p "$home"
if [ ! -e "$home/node_modules/@memlab" ]; then
  (cd "$home" && npm init -y >/dev/null && PUPPETEER_SKIP_DOWNLOAD=1 npm install --ignore-scripts --no-audit --no-fund \
    esbuild chrome-devtools-frontend@1.0.1705227 @memlab/core@2 @memlab/heap-analysis@2)
fi
if [ ! -e "$home/go" ]; then
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  package=$(apt-cache depends golang-go | sed -n 's/.*Depends: \(golang-.*-go\)$/\1/p')
  (cd "$scratch" && apt-get download -q "$package" >/dev/null && dpkg-deb -x golang-*.deb "$home/go")
fi
npm run --silent test:fast export/consumers
