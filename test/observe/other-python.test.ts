import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameOtherPython } from '../../src/observe/other-python.ts'

for (const [exe, mapped, cmdline, name] of [
  ['/usr/bin/pypy3.11', ['/usr/lib/x86_64-linux-gnu/libpypy3.11-c.so'], ['app.py'], 'PyPy'],
  ['/opt/pypy3.10-v7.3.17/bin/pypy3.10 (deleted)', [], [], 'PyPy'],
  ['/usr/bin/uwsgi-core', ['/opt/pypy/lib/libpypy3-c.so'], [], 'PyPy'],
  ['/opt/graalpy/bin/graalpy', ['/opt/graalpy/lib/libpythonvm.so'], [], 'GraalPy'],
  [
    '/usr/lib/jvm/java-17-openjdk-amd64/bin/java',
    [],
    ['java', '-jar', '/usr/share/jython/jython.jar'],
    'Jython',
  ],
  ['/usr/bin/java', [], ['java', '-cp', 'x.jar', 'org.python.util.jython', 'app.py'], 'Jython'],
  ['/usr/bin/mono-sgen', [], ['mono', '/opt/ironpython/ipy.exe'], 'IronPython'],
  ['/usr/bin/micropython', [], ['micropython'], 'MicroPython'],
  ['/usr/bin/java', [], ['java', '-jar', 'shop.jar'], undefined],
  ['/usr/bin/vim', [], ['vim', 'jython.jar', 'pypy.py'], undefined],
  ['/usr/sbin/nginx', ['/usr/lib/libc.so.6'], ['pypy3'], undefined],
] as const)
  test(`${exe} ${cmdline.join(' ')} is ${name ?? 'no Python'}`, () => {
    assert.equal(nameOtherPython({ exe, mapped, cmdline, is32Bit: false }), name)
  })

test('a Python for 32 bits is told from one for 64', () => {
  const program = { exe: '/usr/bin/python3.11', mapped: [], cmdline: [] }
  assert.equal(nameOtherPython({ ...program, is32Bit: true }), 'a 32-bit Python')
  assert.equal(nameOtherPython({ ...program, is32Bit: false }), undefined)
  assert.equal(nameOtherPython({ ...program, exe: '/usr/bin/steam', is32Bit: true }), undefined)
})
