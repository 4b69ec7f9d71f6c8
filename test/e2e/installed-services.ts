/** A service that keeps what it allocates, and says to systemd that it lives for as long as it is told to. */
export const SERVICE = `import os, socket, sys, time
rate, mute_after, most = map(float, sys.argv[1:])
SESSIONS = []
address = os.environ.get('NOTIFY_SOCKET')
if address:
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.connect('\\0' + address[1:] if address[0] == '@' else address)
    notify.send(b'READY=1')
began = time.monotonic()
while True:
    if len(SESSIONS) < most * 1000:
        SESSIONS.extend(bytearray(1000) for _ in range(int(rate * 50)))
    time.sleep(0.05)
    if address and time.monotonic() - began < mute_after:
        notify.send(b'WATCHDOG=1')
`

/** Rules that fire early, and everything that tells of it. */
export const CONFIG = `store: { reserve: 16MiB, keep: { per_target: 50 } }
targets:
  - { name: api, match: { unit: api.service } }
  - { name: worker, match: { unit: worker.service } }
rules:
  - { name: near-limit, targets: [api], when: { limit: { above: 50% } }, for: 0s, cooldown: 10m }
  - { name: rss-high, targets: [worker], when: { rss: { above: 60MiB } }, for: 0s, cooldown: 10m }
baseline: off
limits: { per_process: { max: 100 }, per_target: { max: 100 } }
hooks:
  - { name: note, on: [captured], run: [/opt/hook] }
metrics: { listen: '127.0.0.1:9713', textfile: /var/lib/prometheus/node-exporter/pyheap.prom }
`

/** A hook that notes who it is and what it may read. */
export const HOOK = `#!/bin/sh
{ id -un; id -Gn; grep -c headline "$PYHEAP_NOTICE"; ls "$PYHEAP_DUMP"; } >>/var/tmp/hook.$PYHEAP_TARGET 2>&1
`

/** A unit that runs the service. */
export const service = (user: string, more: string, run: string): string => `[Service]
User=${user}
${more}
ExecStart=/usr/bin/python3 /opt/service.py ${run}
`
