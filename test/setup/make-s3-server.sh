#!/bin/sh
# Makes a Debian with OpenStack Swift in a cache directory, once, and prints where it is. Swift answers as S3 does, and
# checks signatures. Tests start it from there (s3-server.ts); nothing is installed on this machine.
set -eu
cd "$(dirname "$0")/../.."
home="${XDG_CACHE_HOME:-$HOME/.cache}/pyheap-watchd/s3"
if [ ! -e "$home" ]; then
  base=$(sh test/setup/make-debian.sh)
  # Whoever comes second waits, and finds it made.
  exec 9>"$home.lock"
  flock 9
fi
if [ ! -e "$home" ]; then
  echo 'making a Debian with an S3 server for the tests' >&2
  # Renamed when it is done, so that what is there is whole.
  rm -rf "$home.partial"
  mkdir "$home.partial"
  cp -a "$base" "$home.partial/root"
  # No service starts, neither in there nor here.
  printf '#!/bin/sh\nexit 101\n' >"$home.partial/root/usr/sbin/policy-rc.d"
  chmod +x "$home.partial/root/usr/sbin/policy-rc.d"
  # It all ends with this script, and what is mounted goes with it. Nothing has to be on the disk at once.
  # shellcheck disable=SC2016 # for the inner shell
  DEBIAN_FRONTEND=noninteractive setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child sh -euc '
    mount -t proc proc "$0/proc"
    chroot "$0" apt-get update -q
    chroot "$0" apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
      swift-proxy swift-account swift-container swift-object
    chroot "$0" apt-get clean
    rm -rf "$0"/var/lib/apt/lists/*' "$home.partial/root" >&2
  mv "$home.partial" "$home"
fi
echo "$home/root"
