import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PythonProcess, TargetMatch } from '../../src/model.ts'
import { compileTargets } from '../../src/observe/match-target.ts'

const process: PythonProcess = {
  id: { bootId: 'b', pid: 7, startTicks: 9 },
  parentPid: 1,
  exe: '/usr/bin/python3.11',
  interpreter: '/usr/bin/python3.11',
  cmdline: ['gunicorn: worker', '[api]'],
  uid: 33,
  user: 'www-data',
  cgroup: '/system.slice/api-1.service',
  unit: 'api-1.service',
  container: { id: 'ab12'.repeat(16), runtime: 'docker' },
}

const isNamed = (match: TargetMatch) => compileTargets([{ name: 'it', match }])(process) === 'it'

for (const [what, match, matches] of [
  ['no key', {}, true],
  ['arguments joined by spaces', { cmdline: 'worker \\[api' }, true],
  ['another cmdline', { cmdline: '^api' }, false],
  ['the executable', { exe: '*/python3*' }, true],
  ['another executable', { exe: '/opt/*' }, false],
  ['the login name', { user: 'www-data' }, true],
  ['the uid', { user: '33' }, true],
  ['another user', { user: 'www' }, false],
  ['the unit', { unit: 'api-*.service' }, true],
  ['another unit', { unit: 'web-*' }, false],
  ['the cgroup', { cgroup: '/system.slice/*' }, true],
  ['the beginning of the container id', { container: 'ab12ab' }, true],
  ['the middle of the container id', { container: '12ab' }, false],
  ['two keys of which one does not', { user: 'www-data', unit: 'web-*' }, false],
  ['a cmdline that is no regular expression', { cmdline: '(' }, false],
] as const) {
  test(`${what}: ${matches ? 'matches' : 'does not match'}`, () => assert.equal(isNamed(match), matches))
}

const inPod: PythonProcess = {
  ...process,
  container: {
    id: 'ab12'.repeat(16),
    runtime: 'containerd',
    pod: 'api-7f9c6d5b48-x7k2p',
    namespace: 'shop-prod',
    name: 'web',
    image: 'registry.example.com/shop/api:1.2',
    labels: { app: 'api', 'app.kubernetes.io/part-of': 'shop' },
  },
}

for (const [what, match, matches] of [
  ['a pod', { pod: 'api-*' }, true],
  ['another pod', { pod: 'web-*' }, false],
  ['a namespace', { namespace: 'shop-*' }, true],
  ['another namespace', { namespace: 'shop' }, false],
  ['an image', { image: '*/shop/api:1.*' }, true],
  ['another image', { image: 'shop/*' }, false],
  ['a runtime', { runtime: 'containerd' }, true],
  ['another runtime', { runtime: 'docker' }, false],
  ['a label', { labels: { app: 'a?i' } }, true],
  ['two labels', { labels: { app: 'api', 'app.kubernetes.io/part-of': '*' } }, true],
  [
    'two labels of which one does not',
    { labels: { app: 'api', 'app.kubernetes.io/part-of': 'cart' } },
    false,
  ],
  ['a label that is not there', { labels: { tier: '*' } }, false],
  ['a label like a key of every object', { labels: { constructor: '*' } }, false],
  ['the name of a container', { container: 'w*b' }, true],
  ['its id as before', { container: 'ab12ab12' }, true],
  ['the beginning of its name', { container: 'we' }, false],
] as const) {
  test(`in a pod, ${what}: ${matches ? 'matches' : 'does not match'}`, () =>
    assert.equal(compileTargets([{ name: 'it', match }])(inPod) === 'it', matches))
}

test('who is in no pod, or not named yet, matches nothing that is about one', () => {
  for (const match of [{ pod: '*' }, { namespace: '*' }, { image: '*' }, { labels: { app: '*' } }])
    assert.equal(isNamed(match), false)
})

test('a machine is matched by its whole name', () => {
  const machine: PythonProcess = { ...process, container: { id: 'web2', runtime: 'nspawn' } }
  const isCalled = (container: string) =>
    compileTargets([{ name: 'it', match: { container } }])(machine) === 'it'
  assert.deepEqual([isCalled('web'), isCalled('web2'), isCalled('web*')], [false, true, true])
})

test('a process without unit or container matches no glob for them', () => {
  const { unit: _, container: __, ...plain } = process
  assert.equal(compileTargets([{ name: 'it', match: { unit: '*' } }])(plain), undefined)
  assert.equal(compileTargets([{ name: 'it', match: { container: '' } }])(plain), undefined)
})

test('the first target that matches names the process', () => {
  const name = compileTargets([
    { name: 'web', match: { unit: 'web-*' } },
    { name: 'api', match: { unit: 'api-*' } },
    { name: 'all', match: {} },
  ])
  assert.equal(name(process), 'api')
})

test('a pattern that would backtrack for ever does not match, and leaves the next one whole', () => {
  const hostile = { ...process, cmdline: [`${'a'.repeat(4000)}!`] }
  const name = compileTargets([
    { name: 'slow', match: { cmdline: '^(a+)+$' } },
    { name: 'next', match: { cmdline: '^a' } },
  ])
  assert.equal(name(hostile), 'next')
})

test('only the first 4,096 characters are searched', () => {
  const long = { ...process, cmdline: ['x'.repeat(4096), 'api'] }
  assert.equal(compileTargets([{ name: 'it', match: { cmdline: 'api' } }])(long), undefined)
})
