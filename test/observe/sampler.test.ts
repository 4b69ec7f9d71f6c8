import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parsePages, Sampler } from '../../src/observe/sampler.ts'
import { parseStat } from '../../src/proc/parse-stat.ts'
import { copyMachine } from './proc-tree.ts'

const idOf = (pid: number, startTicks = 226606) => ({ bootId: 'boot', pid, startTicks })

for (const [text, expected] of [
  ['3491 2072 1344 691 0 423 0\n', { total: 3491, resident: 2072 }],
  ['0 0 0 0 0 0 0\n', { total: 0, resident: 0 }],
  ['', undefined],
  ['12', undefined],
  ['12 34', undefined],
  ['12\0 34 5', undefined],
  ['-1 2 3', undefined],
] as const) {
  test(`statm ${JSON.stringify(text)}`, () =>
    assert.deepEqual(parsePages(Buffer.from(text), Buffer.byteLength(text)), expected))
}

test('sizes are pages times the size of a page', () => {
  using machine = copyMachine()
  const sampler = new Sampler({ procRoot: machine.proc, pageBytes: 65536 })
  assert.equal(sampler.watch(idOf(101)), 'watched')
  const [total, resident] = machine.read('101/statm').split(' ').map(Number)
  assert.deepEqual(sampler.read(idOf(101)), {
    kind: 'read',
    virtualBytes: (total ?? 0) * 65536,
    rssBytes: (resident ?? 0) * 65536,
  })
  sampler.close()
})

test('a process that only has the pid is not the one to watch', () => {
  using machine = copyMachine()
  const sampler = new Sampler({ procRoot: machine.proc, pageBytes: 4096 })
  assert.equal(sampler.watch(idOf(101, 7)), 'gone')
  assert.equal(sampler.watch(idOf(999)), 'gone')
  sampler.close()
})

test('a zombie is gone', () => {
  using machine = copyMachine()
  const sampler = new Sampler({ procRoot: machine.proc, pageBytes: 4096 })
  const startTicks = parseStat(machine.read('104/stat'))?.startTicks ?? 0
  assert.equal(sampler.watch(idOf(104, startTicks)), 'watched')
  assert.deepEqual(sampler.read(idOf(104, startTicks)), { kind: 'gone' })
  sampler.close()
})

test('what is not a size is missing, not gone', () => {
  using machine = copyMachine()
  const sampler = new Sampler({ procRoot: machine.proc, pageBytes: 4096 })
  sampler.watch(idOf(101))
  machine.write('101/statm', 'rubbish')
  assert.deepEqual(sampler.read(idOf(101)), { kind: 'missing' })
  assert.deepEqual(sampler.read(idOf(102)), { kind: 'missing' })
  sampler.close()
})

test('a real process is read as ps reads it, and is gone when it has ended', async () => {
  const child = spawn('/usr/bin/python3', ['-uc', 'x = bytearray(50_000_000); print(); input()'])
  try {
    await once(child.stdout, 'data')
    const pid = child.pid ?? 0
    const stat = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    const id = idOf(pid, stat?.startTicks)
    const pageBytes = Number(spawnSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }).stdout)
    const sampler = new Sampler({ procRoot: '/proc', pageBytes })
    assert.equal(sampler.watch(id), 'watched')
    const reading = sampler.read(id)
    const ps = spawnSync('ps', ['-o', 'rss=,vsz=', '-p', String(pid)], { encoding: 'utf8' })
    const [rssKib, virtualKib] = ps.stdout.trim().split(/\s+/).map(Number)
    assert.deepEqual(reading, {
      kind: 'read',
      rssBytes: (rssKib ?? 0) * 1024,
      virtualBytes: (virtualKib ?? 0) * 1024,
    })
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.deepEqual(sampler.read(id), { kind: 'gone' })
    sampler.close()
  } finally {
    child.kill('SIGKILL')
  }
})

const countOpenFiles = () => readdirSync('/proc/self/fd').length

test('no descriptor is left behind', () => {
  using machine = copyMachine()
  const before = countOpenFiles()
  const sampler = new Sampler({ procRoot: machine.proc, pageBytes: 4096 })
  for (const pid of [101, 102, 106]) sampler.watch(idOf(pid))
  sampler.watch(idOf(101, 7))
  assert.equal(countOpenFiles(), before + 3)
  sampler.drop(idOf(101))
  sampler.close()
  assert.equal(countOpenFiles(), before)
})
