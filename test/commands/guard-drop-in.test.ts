import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderGuard, stopCommands } from '../../src/commands/guard-drop-in.ts'

const CAT = `# /lib/systemd/system/api.service
[Service]
ExecStart=/usr/bin/api
ExecStop=/usr/bin/never
ExecStop=
ExecStop=-/usr/bin/api --drain \\
    --for 5s
ExecStopPost=/bin/true

# /etc/systemd/system/api.service.d/50-pyheap-guard.conf
[Service]
ExecStop=
ExecStop=-+/usr/bin/env systemd-run pyheapctl guard %n --now
ExecStop=-/usr/bin/api --drain --for 5s

# /etc/systemd/system/api.service.d/60-site.conf
[Service]
ExecStop=/bin/echo bye
`

test("a unit's own commands on stop are read in their order, without ours and what was taken back", () =>
  assert.deepEqual(stopCommands(CAT), ['-/usr/bin/api --drain --for 5s', '/bin/echo bye']))

test('ours comes first, as root in a unit of its own, bounded, and its failure holds up nothing', () => {
  const text = renderGuard({ program: '/usr/bin/pyheapctl', budgetMs: 20_000, commands: ['/bin/own'] })
  const lines = text.split('\n').filter((line) => line.startsWith('ExecStop='))
  assert.equal(lines[0], 'ExecStop=')
  assert.match(
    lines[1] ?? '',
    /^ExecStop=-\+\/usr\/bin\/env systemd-run .*RuntimeMaxSec=22 .* guard %n --now --budget 20s$/,
  )
  assert.equal(lines[2], 'ExecStop=/bin/own')
  assert.deepEqual(stopCommands(`# /etc/systemd/system/x.service.d/50-pyheap-guard.conf\n${text}`), [])
})
