import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { readHostMemory } from '../../src/observe/host.ts'
import { createObserver, type ObserverOptions } from '../../src/observe/observe.ts'
import { copyMachine, fixtures } from './proc-tree.ts'

const options = (procRoot: string): ObserverOptions => ({
  procRoot,
  endingOf: (process) => ({ process, how: 'ended', at: '2026-11-21T10:00:00.000Z' }),
  sysRoot: `${fixtures}/v1/sys`,
  passwdFile: '/nonexistent',
  pageBytes: 4096,
  targets: [
    { name: 'api', match: { unit: 'shop-api.service' } },
    { name: 'shop', match: { exe: '*uwsgi*' } },
  ],
  discoveryIntervalMs: 5000,
  isIgnored: () => false,
  isNear: (_, { target }) => target === 'api',
  readHostMemory: async () => ({ totalBytes: 2 ** 34, availableBytes: 2 ** 33 }),
  history: { windowMs: 60_000, resolutionMs: 1000 },
})

test('an observation tells who appeared, how large each is and how near its limit', async () => {
  using machine = copyMachine()
  const observer = createObserver(options(machine.proc))
  const { appeared, samples, gone, host } = await observer.observe(1000)
  assert.deepEqual(
    appeared.map(({ id, target }) => [id.pid, target]),
    [
      [101, 'api'],
      [102, 'shop'],
    ],
  )
  assert.equal(appeared[0]?.id.bootId, '0c7a52b1-5a5e-4f0e-9d3b-1f2e3d4c5b6a')
  assert.deepEqual([gone, host.totalBytes], [[], 2 ** 34])
  const [api, shop] = samples
  assert.equal(api?.limit?.where, '/system.slice')
  assert.equal(api.rssBytes, 4096 * Number(machine.read('101/statm').split(' ')[1]))
  assert.notEqual(api.split, undefined)
  assert.equal(shop?.split, undefined)
  observer.close()
})

test('it looks for processes only every discovery interval, at those it has always', async () => {
  using machine = copyMachine()
  const observer = createObserver(options(machine.proc))
  await observer.observe(0)
  machine.copy(101, 108)
  machine.write('108/stat', machine.read('108/stat').replace(/^101 /, '108 '))
  const soon = await observer.observe(4999)
  assert.deepEqual([soon.appeared.length, soon.samples.length], [0, 2])
  const later = await observer.observe(5000)
  assert.deepEqual([later.appeared.length, later.samples.length], [1, 3])
  observer.close()
})

test('growth leads to the one that grew, or to those who are found by looking for it', async () => {
  using machine = copyMachine()
  const observer = createObserver(options(machine.proc))
  const pidsAt = async (nowMs: number, only?: number): Promise<readonly number[]> =>
    (await observer.observe(nowMs, only)).samples.map(({ process }) => process.pid)
  assert.deepEqual(await pidsAt(0), [101, 102])
  assert.deepEqual(await pidsAt(100, 102), [102])
  machine.copy(101, 108)
  machine.write('108/stat', machine.read('108/stat').replace(/^101 /, '108 '))
  assert.deepEqual(await pidsAt(500, 108), [], 'a second has not passed since the last search')
  assert.deepEqual(await pidsAt(1500, 108), [108])
  assert.deepEqual(await pidsAt(1600, 4_000_000), [])
  assert.deepEqual(await pidsAt(1700, 0), [101, 102, 108], 'its pid is that of another namespace')
  observer.close()
})

test('who is calm and far from everything is looked at in one of sixteen sweeps, until it changes', async () => {
  using machine = copyMachine()
  const observer = createObserver({ ...options(machine.proc), mayRest: ({ process }) => process.pid === 101 })
  const looks = new Map<number, number>()
  const sweep = async (from: number, to: number): Promise<void> => {
    looks.clear()
    for (let second = from; second < to; second++)
      for (const { process } of (await observer.observe(second * 1000, undefined, true)).samples)
        looks.set(process.pid, (looks.get(process.pid) ?? 0) + 1)
  }
  await sweep(0, 20)
  await sweep(20, 52)
  assert.deepEqual([looks.get(101), looks.get(102)], [2, 32])
  assert.equal(
    (await observer.observe(52_000)).samples.length,
    2,
    'whoever asks for everybody is given everybody',
  )
  machine.write('101/statm', machine.read('101/statm').replace(/ \d+/, ' 99999'))
  await observer.observe(53_000, 101)
  await sweep(54, 60)
  assert.equal(looks.get(101), 6)
  observer.close()
})

test('a process that ends is told once, by whoever sees it first', async () => {
  using machine = copyMachine()
  const observer = createObserver(options(machine.proc))
  await observer.observe(0)
  machine.write('101/statm', '0 0 0 0 0 0 0\n')
  const ended = await observer.observe(1000)
  assert.deepEqual([ended.gone.map(({ pid }) => pid), ended.samples.length], [[101], 1])
  machine.remove(101)
  machine.remove(102)
  assert.deepEqual(
    (await observer.observe(5000)).gone.map(({ pid }) => pid),
    [102],
  )
  assert.deepEqual((await observer.observe(10_000)).gone, [])
  observer.close()
})

test('a process that no target names after exec is gone', async () => {
  using machine = copyMachine()
  const observer = createObserver(options(machine.proc))
  await observer.observe(0)
  machine.setExe(102, '/usr/bin/other', ['main'])
  assert.deepEqual(
    (await observer.observe(5000)).gone.map(({ pid }) => pid),
    [102],
  )
  observer.close()
})

test('a sample that cannot be had is told, and had again later', async () => {
  using machine = copyMachine()
  const observer = createObserver(options(machine.proc))
  await observer.observe(0)
  const statm = machine.read('101/statm')
  machine.write('101/statm', '')
  const missing = await observer.observe(1000)
  assert.deepEqual([missing.samples.length, missing.gone, missing.problems?.length], [1, [], 1])
  machine.write('101/statm', statm)
  assert.equal((await observer.observe(2000)).samples.length, 2)
  observer.close()
})

test('the history of a process goes back to its first sample', async () => {
  using machine = copyMachine()
  const observer = createObserver(options(machine.proc))
  const { samples } = await observer.observe(0)
  await observer.observe(1000)
  const id = samples[0]?.process
  assert.ok(id)
  assert.deepEqual(
    observer.historyOf(id, 1000).map(({ secondsAgo }) => secondsAgo),
    [1, 0],
  )
  observer.close()
})

test('a real Python process is found and sampled as ps has it', async () => {
  const script = 'x = bytearray(30_000_000); print("ready"); input()'
  const child = spawn('/usr/bin/python3', ['-uc', script, 'observe-me'])
  const asleep = spawn('/usr/bin/sleep', ['60'])
  try {
    await once(child.stdout, 'data')
    const observer = createObserver({
      ...options('/proc'),
      sysRoot: '/sys',
      passwdFile: '/etc/passwd',
      pageBytes: Number(spawnSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }).stdout),
      targets: [
        { name: 'real', match: { cmdline: 'observe-me$' } },
        { name: 'asleep', match: { exe: '*/sleep' } },
      ],
      readHostMemory,
    })
    const { appeared, samples } = await observer.observe(0)
    const [python] = appeared
    assert.equal(appeared.length, 1)
    assert.equal(python?.id.pid, child.pid)
    assert.deepEqual(python?.cmdline, ['/usr/bin/python3', '-uc', script, 'observe-me'])
    const ps = spawnSync('ps', ['-o', 'rss=,user=', '-p', String(child.pid)], { encoding: 'utf8' })
    const [rssKib, user] = ps.stdout.trim().split(/\s+/)
    assert.equal(python.user, user)
    assert.equal(samples[0]?.rssBytes, Number(rssKib) * 1024)
    assert.ok((samples[0]?.limit?.limitBytes ?? 0) > 0)
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.deepEqual((await observer.observe(1000)).gone, [python.id])
    observer.close()
  } finally {
    child.kill('SIGKILL')
    asleep.kill('SIGKILL')
  }
})

test('who has opted out is gone without having ended', async () => {
  using machine = copyMachine()
  const told = { version: 0, isWatched: true }
  const observer = createObserver({
    ...options(machine.proc),
    containers: {
      refresh: async () => undefined,
      // A new object, as after a change of its annotations.
      name: (identity) => (told.version === 0 ? identity : { ...identity, pod: 'api' }),
      version: () => told.version,
      takeNews: () => [],
      close: () => undefined,
    },
    wishesOf: () => ({ isWatched: told.isWatched, isOptedOut: !told.isWatched, problems: [] }),
  })
  assert.deepEqual((await observer.observe(0)).samples.length, 2)
  Object.assign(told, { version: 1, isWatched: false })
  const { gone, dismissed, endings, samples, containers } = await observer.observe(5000)
  assert.deepEqual(
    [gone, dismissed].map((ids) => ids?.map(({ pid }) => pid)),
    [[102], [102]],
  )
  assert.deepEqual([endings, samples.length], [[], 1])
  assert.deepEqual(
    containers?.map(({ kind }) => kind),
    ['opted-out'],
  )
  assert.equal(observer.standing(102), 'other')
  observer.close()
})
