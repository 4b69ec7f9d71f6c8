import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { defaultConfig } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { ParsedConfig } from '../../src/config/parse.ts'
import { checkCron } from './cron.ts'

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pyheap-config-'))
})
afterEach(() => rm(dir, { recursive: true }))

const load = (dropInDir?: string): Promise<ParsedConfig> =>
  loadConfig(join(dir, 'config.yaml'), dropInDir, { checkCron })

const write = (name: string, text: string | Uint8Array): Promise<void> => writeFile(join(dir, name), text)

const onlyProblem = async (dropInDir?: string): Promise<readonly [path: string, message: string]> => {
  const result = await load(dropInDir)
  assert.ok(result.kind === 'invalid')
  assert.equal(result.problems.length, 1)
  return [result.problems[0]?.path ?? '', result.problems[0]?.message ?? '']
}

test('without drop-ins the file is the config', async () => {
  await write('config.yaml', '')
  assert.deepEqual(await load(), { kind: 'config', config: defaultConfig })
})

test('drop-ins are read from config.d beside the file, in the order of their names, through links', async () => {
  await write('config.yaml', 'log: { level: error }')
  await mkdir(join(dir, 'config.d'))
  await write('config.d/20.yaml', 'log: { level: debug }')
  await write('config.d/10.yaml', 'log: { level: warn }\nbaseline: off')
  await write('linked', 'store: { dir: /linked }')
  await symlink(join(dir, 'linked'), join(dir, 'config.d/30.yaml'))
  await write('config.d/.40.yaml', 'log: { level: info }')
  await write('config.d/50.yaml~', 'log: { level: info }')
  const result = await load()
  assert.ok(result.kind === 'config')
  assert.equal(result.config.logLevel, 'debug')
  assert.equal(result.config.decide.baselineAfterMs, undefined)
  assert.equal(result.config.store.dir, '/linked')
})

test('another directory of drop-ins can be given', async () => {
  await write('config.yaml', '')
  await mkdir(join(dir, 'other'))
  await write('other/a.yaml', 'log: { level: debug }')
  const result = await load(join(dir, 'other'))
  assert.equal(result.kind === 'config' && result.config.logLevel, 'debug')
})

test('a missing file comes with the command that makes one', async () => {
  const [path, message] = await onlyProblem()
  assert.equal(path, join(dir, 'config.yaml'))
  const command = /install -D .*/.exec(message)?.[0] ?? 'false'
  execFileSync('sh', ['-c', command])
  assert.deepEqual(await load(), { kind: 'config', config: defaultConfig })
})

test('mistakes have the path of their file', async () => {
  await write('config.yaml', '')
  await mkdir(join(dir, 'config.d'))
  await write('config.d/a.yaml', 'log: { level: loud }')
  const [path] = await onlyProblem()
  assert.equal(path, join(dir, 'config.d/a.yaml'))
})

const UNREADABLE: readonly (readonly [string, (path: string) => Promise<unknown>, RegExp])[] = [
  ['a directory', (path) => mkdir(path), /is not a regular file/],
  ['a pipe that nobody writes to', async (path) => execFileSync('mkfifo', [path]), /is not a regular file/],
  ['a device', (path) => symlink('/dev/zero', path), /is not a regular file/],
  ['a link to itself', (path) => symlink(path, path), /symbolic links/],
  ['more than a megabyte', (path) => writeFile(path, Buffer.alloc(2 ** 20 + 1, '\n')), /larger than 1 MiB/],
  ['bytes that are no text', (path) => writeFile(path, Buffer.from([0x61, 0xff])), /is not UTF-8 text/],
]

for (const [name, make, message] of UNREADABLE) {
  test(`${name} is refused`, { timeout: 10_000 }, async () => {
    await make(join(dir, 'config.yaml'))
    assert.match((await onlyProblem())[1], message)
  })
}

test('a drop-in directory that is none is a problem', async () => {
  await write('config.yaml', '')
  await write('config.d', '')
  assert.match((await onlyProblem())[1], /cannot be listed: it is not a directory/)
})
