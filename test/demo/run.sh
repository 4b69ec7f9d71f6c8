#!/bin/sh
# npm run demo: installs what is missing, builds, and shows the main job on a small leaking web shop.
set -eu
cd "$(dirname "$0")/../.."
sh test/setup/install.sh gdb python3
sh test/setup/build.sh
node --import tsx test/demo/demo.ts
