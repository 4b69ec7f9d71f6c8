#!/bin/sh
# Runs in the machine: the unit, a leak below a limit of cgroup v2, then tests.
set -eu
say() { echo "--- $*"; }
uname -r
mount -t cgroup2
cat >/etc/pyheap-watchd/config.d/10-try.yaml <<'X'
store: { dir: /var/lib/pyheap, reserve: 16MiB }
rules:
  - { name: near-limit, when: { limit: { above: 60% } }, cooldown: 10m, capture: [census, stacks, graph] }
  - { name: will-oom, when: { time_to_limit: { below: 30s, window: 30s } }, cooldown: 10m }
baseline: off
X
say the unit
systemctl start pyheap-watchd
systemctl show pyheap-watchd -p ActiveState,SubState,MainPID
say a leak of 2 MB/s below 150 MiB
systemd-run --unit=leaky -p MemoryMax=150M -p MemorySwapMax=0 /usr/bin/python3 -c '
import time
HELD = []
while True:
    if len(HELD) < 125000:
        HELD.extend(bytearray(1000) for _ in range(500))
    time.sleep(0.25)
'
for rule in near-limit will-oom; do
  for _ in $(seq 120); do
    [ -z "$(find /var/lib/pyheap -maxdepth 2 -name "*-$rule")" ] || break
    sleep 1
  done
done
pyheapctl list
dump=$(find /var/lib/pyheap -maxdepth 2 -name '*-near-limit')
pyheapctl show --verdict "$dump" | tee /tmp/verdict
tr '\n' ' ' </tmp/verdict | grep -q 'module __main__: *HELD'
pyheapctl graph "$dump" | grep 'HELD (list) retains'
find /var/lib/pyheap -maxdepth 2 -name '*-will-oom' | grep .
[ "$(systemctl is-active leaky)" = active ]
say the daemon has limits of its own, apart from its snapshots
cat /sys/fs/cgroup/system.slice/pyheap-watchd.service/daemon/memory.max \
  /sys/fs/cgroup/system.slice/pyheap-watchd.service/daemon/cpu.max
[ "$(cat /sys/fs/cgroup/system.slice/pyheap-watchd.service/daemon/memory.max)" = 536870912 ]
pyheapctl status
say snapshots are charged below the unit
ls -d /sys/fs/cgroup/system.slice/pyheap-watchd.service/pyheap-snapshots
grep '"copied_bytes"' "$dump/dump.json"
say a daemon that is killed comes back, and stops
systemctl kill -s SIGKILL pyheap-watchd
for _ in $(seq 60); do
  sleep 1
  ! systemctl is-active --quiet pyheap-watchd || break
done
systemctl is-active pyheap-watchd
systemctl stop pyheap-watchd
[ "$(systemctl is-active leaky)" = active ]
systemctl stop leaky
say tests
cd /opt/pyheap-watchd
export HOME=/root
# shellcheck disable=SC2086 # words are words
node --import tsx test/run.ts $WORDS
echo 'all is well'
