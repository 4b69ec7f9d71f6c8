import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Container } from '../setup/container.ts'
import { CONFIG, HOOK, SERVICE, service } from './installed-services.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to boot a container'
const here = new URL('../..', import.meta.url).pathname

const dumpsOf = (target: string, rule: string): string =>
  `find /var/lib/pyheap/${target} -mindepth 1 -maxdepth 1 -name '*-${rule}' 2>/dev/null | sort`

describe('a Debian on which it is installed as people do', { skip, timeout: 900_000 }, () => {
  const packages = mkdtempSync(join(tmpdir(), 'pyheap-packages-'))
  let machine: Container

  before(async () => {
    const base = execFileSync('sh', [join(here, 'test/setup/make-debian.sh')], { encoding: 'utf8' }).trim()
    for (const version of ['0.1.0', '99.0.0'])
      execFileSync(
        'sh',
        [join(here, 'systemd/package/build.sh'), '--deb-only', '--out', packages, '--version', version],
        { stdio: ['ignore', 'ignore', 'pipe'] },
      )
    machine = await Container.boot(base)
    for (const name of readdirSync(packages))
      copyFileSync(join(packages, name), join(machine.root, 'opt', name))
    machine.write('/opt/service.py', SERVICE)
    machine.write('/opt/hook', HOOK)
    machine.write('/etc/systemd/system/api.service', service('alice', 'MemoryMax=150M', '2 0 90'))
    machine.write('/etc/systemd/system/worker.service', service('bob', '', '2 0 200'))
    await machine.does(
      'chmod 755 /opt/hook /opt/service.py; for u in alice bob carol mallory; do useradd $u; done; mkdir -p /var/lib/prometheus/node-exporter; systemctl daemon-reload',
    )
  })

  after(async () => {
    await machine.end()
    rmSync(packages, { recursive: true })
  })

  test('apt installs it with what it needs, and does not start it', async () => {
    const apt = 'DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends'
    await machine.does(`${apt} /opt/pyheap-watchd_0.1.0_amd64.deb`, { timeoutMs: 300_000 })
    assert.match(
      await machine.does('pyheap-watchd --version; gdb --version | head -n 1'),
      /^0\.1\.0\nGNU gdb/,
    )
    assert.equal((await machine.run('systemctl is-enabled pyheap-watchd')).out, 'disabled')
    assert.equal((await machine.run('systemctl is-active pyheap-watchd')).out, 'inactive')
    assert.match(
      await machine.does('getent group pyheap; stat -c "%U:%G %a" /var/lib/pyheap'),
      /^pyheap:.*\nroot:pyheap 750$/,
    )
    assert.equal((await machine.run('pyheap-watchd --check')).code, 0)
    await machine.does('man -w pyheapctl 2>/dev/null || ls /usr/share/man/man1/pyheapctl.1.gz')
  })

  test('enabled it is ready when it has looked at everything, and systemd has nothing against the unit', async () => {
    machine.write('/etc/pyheap-watchd/config.d/10-site.yaml', CONFIG)
    await machine.does('usermod -aG pyheap carol; systemctl start api worker')
    await machine.does('systemctl enable --now pyheap-watchd')
    const shown = await machine.does('systemctl show pyheap-watchd -p ActiveState,StatusText,Type')
    assert.match(shown, /Type=notify\nActiveState=active|ActiveState=active/)
    assert.match(shown, /StatusText=watching \d+ Python process/)
    assert.equal(
      (await machine.run('systemd-analyze verify --man=no pyheap-watchd.service 2>&1 | grep pyheap')).out,
      '',
    )
  })

  test('services of two users leak, and both are captured, named and left alone', async () => {
    const api = await machine.becomes(dumpsOf('api', 'near-limit'), /near-limit/, 90_000)
    const worker = await machine.becomes(dumpsOf('worker', 'rss-high'), /rss-high/, 90_000)
    for (const dump of [api, worker]) {
      assert.match(await machine.does(`pyheapctl show --verdict ${dump}`), /SESSIONS/)
      const modes = await machine.does(`stat -c '%U:%G %a' ${dump} ${dump}/*.json | sort -u`)
      assert.equal(modes, 'root:pyheap 640\nroot:pyheap 750')
    }
    assert.equal((await machine.run('systemctl is-active api worker')).out, 'active\nactive')
    assert.match(await machine.does(`cat ${api}/dump.json`), /"source": ?"cgroup"/)
  })

  test('hooks run as nobody in the group pyheap, metrics and the journal tell of it', async () => {
    const said = await machine.becomes('cat /var/tmp/hook.api', /dump\.json/)
    assert.match(said, /^nobody\n.*\bpyheap\b.*\n1\n/)
    await machine.becomes(
      'cat /var/lib/prometheus/node-exporter/pyheap.prom',
      /pyheap_captures_total\{target="api",rule="near-limit",outcome="captured"\} 1/,
    )
    const served = await machine.does(
      `python3 -c "import socket; s=socket.create_connection(('127.0.0.1',9713)); s.send(b'GET /metrics HTTP/1.0\\r\\n\\r\\n'); print(s.makefile().read())"`,
    )
    assert.match(served, /pyheap_target_processes\{target="worker"\} 1/)
    const entry = await machine.does(
      'journalctl -u pyheap-watchd MESSAGE_ID=2f0d7b5ad2584f1a9a3b1c0f4e6a7d01 PYHEAP_TARGET=api -o json --no-pager | head -n 1',
    )
    const { PRIORITY, PYHEAP_DUMP, MESSAGE } = JSON.parse(entry) as Record<string, string>
    assert.equal(PRIORITY, '5')
    assert.match(PYHEAP_DUMP ?? '', /^\/var\/lib\/pyheap\/api\//)
    assert.match(MESSAGE ?? '', /was captured by near-limit/)
    const explained = await machine.does(
      'journalctl -x -u pyheap-watchd PYHEAP_EVENT=captured --no-pager | cat',
    )
    assert.match(explained, /Subject: A Python service was captured: api/)
    assert.match(
      await machine.does('journalctl -u pyheap-watchd -p 6..6 --no-pager -o cat'),
      /dump published/,
    )
  })

  test('the socket is for root and members of the group alone', async () => {
    assert.match(await machine.does('runuser -u carol -- pyheapctl status'), /captures {3}[2-9] good/)
    const stranger = await machine.run('runuser -u mallory -- pyheapctl status')
    assert.equal(stranger.code, 10)
    assert.match(stranger.err, /members of the group pyheap/)
    const pid = await machine.does('systemctl show -p MainPID --value worker')
    assert.match(await machine.does(`runuser -u carol -- pyheapctl capture ${pid}`), /-manual\n/)
    const core = await machine.run(`runuser -u carol -- pyheapctl capture ${pid} --with core`)
    assert.equal(core.code, 4)
    assert.match(await machine.does(`runuser -u carol -- pyheapctl explain ${pid}`), /rss-high .*captured/)
  })

  test('a reload takes a good configuration and refuses a broken one, and says so everywhere', async () => {
    machine.write('/etc/pyheap-watchd/config.d/20-broken.yaml', 'rulez: []\n')
    await machine.does('systemctl reload pyheap-watchd')
    await machine.becomes(
      'systemctl show -p StatusText pyheap-watchd',
      /configuration REFUSED.*20-broken\.yaml:1:1/,
    )
    assert.match(await machine.does('pyheapctl status'), /refused, the old one is in force/)
    assert.equal((await machine.run('pyheapctl reload')).code, 5)
    await machine.does('rm /etc/pyheap-watchd/config.d/20-broken.yaml; pyheapctl reload')
    await machine.becomes('systemctl show -p StatusText pyheap-watchd', /StatusText=watching/)
    await machine.does('for i in $(seq 50); do systemctl kill -s HUP pyheap-watchd; done')
    await machine.becomes('pyheapctl status', /captures {3}\d+ good/)
    assert.equal((await machine.run('systemctl show -p NRestarts --value pyheap-watchd')).out, '0')
  })

  test('started with a broken configuration it fails once, with the place of the mistake, and not again and again', async () => {
    machine.write('/etc/pyheap-watchd/config.d/20-broken.yaml', 'rulez: []\n')
    assert.notEqual((await machine.run('systemctl restart pyheap-watchd')).code, 0)
    await machine.does('sleep 7')
    assert.match(
      await machine.does('systemctl show -p ActiveState,NRestarts,ExecMainStatus pyheap-watchd'),
      /^(?=[\s\S]*ActiveState=failed)(?=[\s\S]*NRestarts=0)(?=[\s\S]*ExecMainStatus=5)/,
    )
    assert.match(await machine.does('journalctl -u pyheap-watchd --no-pager -o cat'), /20-broken\.yaml:1:1/)
    await machine.does('rm /etc/pyheap-watchd/config.d/20-broken.yaml; systemctl start pyheap-watchd')
  })

  test('it keeps to limits of its own', async () => {
    const limit = 'cat /sys/fs/cgroup/memory/system.slice/pyheap-watchd.service/memory.limit_in_bytes'
    const unified = 'cat /sys/fs/cgroup/system.slice/pyheap-watchd.service/daemon/memory.max'
    assert.equal((await machine.does(`${limit} 2>/dev/null || ${unified}`)).trim(), String(512 * 2 ** 20))
  })

  test('restarted in the middle of a capture it finishes that, and nobody is hurt', async () => {
    const pid = await machine.does('systemctl show -p MainPID --value worker')
    for (const pause of [0.05, 0.15, 0.3, 0.6]) {
      await machine.does(
        `(pyheapctl capture ${pid} >/dev/null 2>&1 &) ; runuser -u carol -- pyheapctl capture ${pid} >/dev/null 2>&1 & sleep ${pause}; systemctl restart pyheap-watchd`,
      )
      assert.equal((await machine.run('systemctl is-active pyheap-watchd')).out, 'active')
    }
    await machine.does('systemctl kill -s KILL pyheap-watchd')
    await machine.becomes('systemctl is-active pyheap-watchd', /^active$/)
    await machine.becomes('find /var/lib/pyheap -name "*.partial" | wc -l', /^0$/)
    assert.equal(await machine.does('systemctl show -p MainPID --value worker'), pid)
    assert.match(await machine.does(`cat /proc/${pid}/status`), /State:\s[RS]/)
  })

  test('a loop that stands still is ended by the watchdog and started again', async () => {
    machine.write(
      '/etc/systemd/system/pyheap-watchd.service.d/w.conf',
      '[Service]\nWatchdogSec=6\nRestartSec=1\n',
    )
    await machine.does('systemctl daemon-reload; systemctl restart pyheap-watchd')
    const first = await machine.does('systemctl show -p MainPID --value pyheap-watchd')
    await machine.does('sleep 8')
    assert.equal(
      await machine.does('systemctl show -p MainPID --value pyheap-watchd'),
      first,
      'pinged in time',
    )
    await machine.does(`kill -STOP ${first}`)
    await machine.becomes(
      `systemctl is-active pyheap-watchd; [ "$(systemctl show -p MainPID --value pyheap-watchd)" != ${first} ]`,
      /^active$/,
      60_000,
    )
    assert.match(await machine.does('journalctl -u pyheap-watchd --no-pager'), /watchdog|Watchdog/)
    await machine.does(
      'rm -r /etc/systemd/system/pyheap-watchd.service.d; systemctl daemon-reload; systemctl restart pyheap-watchd',
    )
  })

  test('a guarded unit is captured before it is restarted, and before its watchdog ends it', async () => {
    machine.write(
      '/etc/systemd/system/shop.service',
      service('bob', 'Type=notify\nWatchdogSec=12\nExecStop=/bin/true own', '0.1 8 100'),
    )
    await machine.does('systemctl daemon-reload; systemctl start shop; pyheapctl guard shop')
    assert.match(
      await machine.does('systemctl cat shop'),
      /ExecStop=-\+.*guard %n --now[\s\S]*ExecStop=\/bin\/true own/,
    )
    await machine.becomes(dumpsOf('python', 'watchdog'), /watchdog/, 60_000)
    await machine.does('systemctl restart shop')
    await machine.becomes(dumpsOf('python', 'guard'), /guard/)
    await machine.does('pyheapctl guard shop --remove; systemctl stop shop')
    assert.doesNotMatch(await machine.does('systemctl cat shop'), /guard/)
  })

  test('a rule may have the unit restarted, once its dump is there', async () => {
    machine.write(
      '/etc/pyheap-watchd/config.d/30-restart.yaml',
      `rules: [{ name: restarts, targets: [worker], when: { rss: { above: 30MiB } }, for: 0s, restart_unit: true }]\n`,
    )
    const pid = await machine.does('systemctl show -p MainPID --value worker')
    await machine.does('pyheapctl reload')
    await machine.becomes(
      `[ "$(systemctl show -p MainPID --value worker)" != ${pid} ] && systemctl is-active worker`,
      /^active$/,
      60_000,
    )
    assert.match(await machine.does(dumpsOf('worker', 'restarts')), /restarts/)
    await machine.does('rm /etc/pyheap-watchd/config.d/30-restart.yaml; pyheapctl reload')
  })

  test('an upgrade keeps what was changed and remembered, and runs again', async () => {
    const dumps = 'find /var/lib/pyheap -mindepth 2 -maxdepth 2 -type d | sort'
    const kept = await machine.does(dumps)
    await machine.does('echo "# ours" >>/etc/pyheap-watchd/config.yaml')
    await machine.does('dpkg -i --force-confold /opt/pyheap-watchd_99.0.0_amd64.deb')
    await machine.becomes('pyheapctl status', /pyheap-watchd 99\.0\.0/)
    assert.equal((await machine.run('systemctl is-enabled pyheap-watchd')).out, 'enabled')
    assert.match(await machine.does('tail -n 1 /etc/pyheap-watchd/config.yaml'), /ours/)
    for (const dump of kept.split('\n')) assert.ok((await machine.does(dumps)).includes(dump), dump)
    assert.equal((await machine.run('systemctl is-active api worker')).out, 'active\nactive')
  })

  test('removed it is gone but for its configuration, purged but for the dumps', async () => {
    await machine.does('apt-get remove -y -q pyheap-watchd')
    assert.notEqual((await machine.run('systemctl is-active pyheap-watchd')).out, 'active')
    assert.match(
      await machine.does('ls /etc/pyheap-watchd/config.yaml; ls -d /var/lib/pyheap/api'),
      /config\.yaml/,
    )
    assert.equal((await machine.run('ls /usr/lib/pyheap-watchd')).code, 2)
    const { out, err } = await machine.run('apt-get purge -y -q pyheap-watchd')
    assert.match(`${out}${err}`, /dumps are kept in \/var\/lib\/pyheap/)
    assert.equal((await machine.run('ls /etc/pyheap-watchd/config.yaml')).code, 2)
    assert.match(await machine.does('ls -d /var/lib/pyheap/api'), /api/)
    assert.equal((await machine.run('systemctl is-active api worker')).out, 'active\nactive')
  })
})
