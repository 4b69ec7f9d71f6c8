#!/bin/sh
# npm run test:machine [-- WORDS]: boots an emulated Debian 12 with systemd and cgroup v2 and the package installed, lets
# it catch a leak, and runs the tests that WORDS pick (those of memory limits without any).
# It makes the machine in a cache directory first (1 GB); an emulated CPU is slow, so tests that race the clock fail there.
set -eu
cd "$(dirname "$0")/../.."
sh test/setup/install.sh debootstrap qemu-system-x86 e2fsprogs
sh test/setup/build.sh
home="${XDG_CACHE_HOME:-$HOME/.cache}/pyheap-watchd/machine"
root="$home/root"
if [ ! -e "$home/made" ]; then
  rm -rf "$root"
  mkdir -p "$home"
  debootstrap --variant=minbase bookworm "$root" "$(sh test/setup/find-mirror.sh)"
  DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y --no-install-recommends linux-image-cloud-amd64 \
    initramfs-tools systemd-sysv dbus udev python3 gdb procps kmod bpftrace libatomic1
  touch "$home/made"
fi
sh systemd/package/build.sh --deb-only --out "$home/package" >/dev/null
cp "$home"/package/*.deb "$root/tmp/"
chroot "$root" sh -c 'dpkg -i /tmp/pyheap-watchd_*.deb && rm /tmp/*.deb'
# What the tests run on.
cp "$(command -v node)" "$root/usr/bin/node"
rm -rf "$root/opt/pyheap-watchd"
mkdir -p "$root/opt/pyheap-watchd"
rm -f "$root/etc/systemd/system/pyheap-watchd.service"
tar c --exclude=.git --exclude=test/leaks . | tar x -C "$root/opt/pyheap-watchd"
cp test/machine/try.service "$root/etc/systemd/system/"
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -sf /etc/systemd/system/try.service "$root/etc/systemd/system/multi-user.target.wants/try.service"
echo "WORDS='${*:-e2e/snapshot-oom capture/graph capture/snapshot-budget}'" >"$root/etc/try.environment"
rm -f "$home/disk"
mkfs.ext4 -q -d "$root" "$home/disk" 4G
qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 4096 -nographic -nodefaults -no-reboot -serial stdio \
  -kernel "$root"/boot/vmlinuz-* -initrd "$root"/boot/initrd.img-* -drive "file=$home/disk,format=raw,if=virtio" \
  -append 'root=/dev/vda rw console=ttyS0 panic=-1 quiet systemd.mask=serial-getty@ttyS0.service' | tee "$home/console"
grep -q '^all is well' "$home/console"
