#!/bin/sh
# Prints the mirror of Debian that this machine's own apt uses.
set -eu
ask() {
  # shellcheck disable=SC2016 # apt's own placeholder
  apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1
}
mirror=$(ask)
[ -n "$mirror" ] || { apt-get update -q >/dev/null && mirror=$(ask); }
[ -n "$mirror" ] || { echo 'apt on this machine has no mirror of Debian' >&2 && exit 1; }
echo "$mirror"
