import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLoginNames } from '../../src/observe/login-names.ts'
import { createInspector } from '../../src/observe/python.ts'
import { copyMachine } from './proc-tree.ts'

const inspector = (procRoot: string) =>
  createInspector({ procRoot, passwdFile: '/nonexistent', bootId: 'boot' })

test('an executable that exports the interpreter is Python', async () => {
  using machine = copyMachine()
  assert.deepEqual(await inspector(machine.proc)(101), {
    id: { bootId: 'boot', pid: 101, startTicks: 226606 },
    parentPid: 1,
    exe: machine.file('/usr/bin/python3.11'),
    interpreter: machine.file('/usr/bin/python3.11'),
    cmdline: ['/usr/bin/python3', '/srv/shop/api.py', '--port', '8000'],
    uid: 33,
    user: '33',
    cgroup: '/system.slice/shop-api.service',
    unit: 'shop-api.service',
  })
})

test('a program that maps libpython is Python, whatever it is called', async () => {
  using machine = copyMachine()
  const found = await inspector(machine.proc)(102)
  assert.equal(found?.exe, machine.file('/usr/bin/uwsgi-core'))
  assert.equal(found?.interpreter, '/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0')
  assert.deepEqual(found?.container, { id: 'ab12'.repeat(16), runtime: 'docker' })
  assert.equal(found?.unit, `docker-${'ab12'.repeat(16)}.scope`)
})

test('a process in a pid namespace of its own has another pid there', async () => {
  using machine = copyMachine()
  machine.write('102/status', machine.read('102/status').replace('NSpid:\t102', 'NSpid:\t102\t17'))
  assert.equal((await inspector(machine.proc)(102))?.insidePid, 17)
  assert.equal((await inspector(machine.proc)(106))?.insidePid, undefined)
})

for (const [what, pid] of [
  ['a program that only calls itself python3', 103],
  ['a zombie', 104],
  ['a kernel thread', 105],
  ['a pid that is not there', 999],
] as const) {
  test(`${what} is not Python`, async () => {
    using machine = copyMachine()
    assert.equal(await inspector(machine.proc)(pid), undefined)
  })
}

test('odd names and arguments are taken as they are', async () => {
  using machine = copyMachine()
  const found = await inspector(machine.proc)(106)
  assert.deepEqual(found?.cmdline, ['worker ) Z 1', '--a b'])
  assert.equal(found.cgroup, '/system.slice/odd.service/inner:odd')
  assert.equal(found.unit, 'odd.service')
})

for (const [what, text, cmdline] of [
  ['a process that renamed itself leaves zeros behind', 'gunicorn: master\0\0\0\0', ['gunicorn: master']],
  ['empty arguments are arguments', 'python3\0\0-c\0', ['python3', '', '-c']],
  ['no arguments are none', '', []],
] as const) {
  test(`cmdline: ${what}`, async () => {
    using machine = copyMachine()
    machine.write('101/cmdline', text)
    assert.deepEqual((await inspector(machine.proc)(101))?.cmdline, cmdline)
  })
}

test('a cmdline without end is cut at 64 KiB', async () => {
  using machine = copyMachine()
  machine.write('101/cmdline', 'x'.repeat(1_000_000))
  assert.equal((await inspector(machine.proc)(101))?.cmdline[0]?.length, 65_536)
})

test('libpython is found behind 10 MB of other mappings', async () => {
  using machine = copyMachine()
  const other = '7f0000000000-7f0000001000 rw-p 00000000 fe:00 42   /srv/é data/segment\n'
  machine.write('102/maps', other.repeat(140_000) + machine.read('102/maps'))
  assert.notEqual(await inspector(machine.proc)(102), undefined)
})

test('an executable that was replaced is looked into again', async () => {
  using machine = copyMachine()
  const inspect = inspector(machine.proc)
  assert.equal(await inspect(103), undefined)
  machine.setExe(103, '/usr/bin/sleep', ['main', 'Py_AddPendingCall'])
  assert.notEqual(await inspect(103), undefined)
})

test('a uid has its login name as soon as the file says so', () => {
  const directory = mkdtempSync(join(tmpdir(), 'passwd-'))
  const file = join(directory, 'passwd')
  const nameOf = createLoginNames(file)
  assert.equal(nameOf(33), '33')
  writeFileSync(
    file,
    'root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false\nalias:x:33:33::/:\n+::x\n',
  )
  assert.equal(nameOf(33), 'www-data')
  assert.equal(nameOf(34), '34')
  rmSync(directory, { recursive: true })
})
