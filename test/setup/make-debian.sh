#!/bin/sh
# Makes a small Debian 12 with systemd and Python in a cache directory, once, and prints where it is. Tests boot it in a
# container (systemd-nspawn), each on an overlay of its own, so it stays as it is.
set -eu
cd "$(dirname "$0")/../.."
sh test/setup/install.sh debootstrap systemd-container
home="${XDG_CACHE_HOME:-$HOME/.cache}/pyheap-watchd/debian"
if [ ! -e "$home/made" ]; then
  rm -rf "$home"
  mkdir -p "$home"
  echo 'making a Debian with systemd for the tests' >&2
  debootstrap --variant=minbase --include=systemd-sysv,dbus,python3-minimal,procps,ca-certificates \
    bookworm "$home/root" "$(sh test/setup/find-mirror.sh)" >&2
  # The same way to the mirror, whatever this machine has in between.
  cp -r /etc/apt/apt.conf.d/. "$home/root/etc/apt/apt.conf.d/" 2>/dev/null || true
  chroot "$home/root" apt-get update -q >&2
  touch "$home/made"
fi
echo "$home/root"
