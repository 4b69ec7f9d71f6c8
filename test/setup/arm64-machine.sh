#!/bin/sh
# Makes what the optional tests of the aarch64 stub need, and runs them: a cross compiler, an emulator
# (some 400 MB installed) and Debian's kernel for arm64, which is unpacked into a cache directory and not installed.
set -eu
cd "$(dirname "$0")/../.."
sh test/setup/install.sh gcc-aarch64-linux-gnu qemu-system-arm
home="${XDG_CACHE_HOME:-$HOME/.cache}/pyheap-watchd/arm64"
if [ ! -e "$home/vmlinuz" ]; then
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial" "$home"
  : >"$scratch/status"
  apt="-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State::lists=$scratch/lists \
    -o Dir::State::status=$scratch/status -o Dir::Cache=$scratch/cache -o APT::Sandbox::User=root"
  # shellcheck disable=SC2086 # a list of options
  apt-get $apt update -q >/dev/null
  # shellcheck disable=SC2086
  package=$(apt-cache $apt depends linux-image-cloud-arm64 | sed -n 's/.*Depends: \(linux-image-\)/\1/p')
  # shellcheck disable=SC2086
  (cd "$scratch" && apt-get $apt download -q "$package" >/dev/null && dpkg-deb -x linux-image-*.deb unpacked)
  mv "$scratch"/unpacked/boot/vmlinuz-* "$home/vmlinuz"
fi
npm run --silent test:fast stub/aarch64
