import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseSmaps } from '../../src/proc/smaps.ts'

const entry = (name: string, permissions: string, rssKib: number): string =>
  `7f0000000000-7f0000001000 ${permissions} 00000000 fe:00 ${name.startsWith('/') ? 42 : 0}   ${name}
Size:                  4 kB
Rss:                ${rssKib} kB
Swap:                  1 kB
VmFlags: rd ex mr mw me`

for (const [name, permissions, kind] of [
  ['', 'rw-p', 'anonymous'],
  ['[anon:glibc: malloc arena]', 'rw-p', 'anonymous'],
  ['[heap]', 'rw-p', 'heap'],
  ['[stack]', 'rw-p', 'stack'],
  ['[vdso]', 'r-xp', 'kernel'],
  ['/usr/lib/libc.so.6', 'r-xp', 'executable'],
  ['/data/model.bin', 'r--p', 'file'],
  ['/tmp/upload-1 (deleted)', 'r--s', 'deleted-file'],
  ['/dev/shm/psm_1234', 'rw-s', 'shared-memory'],
  ['/memfd:arrow (deleted)', 'rw-s', 'shared-memory'],
  ['/dev/zero (deleted)', 'rw-s', 'shared-memory'],
  ['/dev/nvidia0', 'rw-s', 'device'],
  ['/dev/dri/renderD128', 'rw-s', 'device'],
] as const)
  test(`${name === '' ? 'no name' : name} is ${kind}`, () => {
    assert.equal(parseSmaps(entry(name, permissions, 8))[0]?.kind, kind)
  })

const at = (range: string, permissions: string): string => `${range} ${permissions} 00000000 00:00 0
Rss:                  12 kB`
for (const [what, kinds, lines] of [
  [
    "a thread's stack lies behind its guard",
    ['thread-stack'],
    [at('7f0000000000-7f0000001000', '---p'), at('7f0000001000-7f0000801000', 'rw-p')],
  ],
  [
    'an arena begins at a multiple of 64 MiB and reserves the rest',
    ['malloc-arena'],
    [at('7f0004000000-7f0004021000', 'rw-p'), at('7f0004021000-7f0008000000', '---p')],
  ],
  ['an arena may be full', ['malloc-arena'], [at('7f0004000000-7f0008000000', 'rw-p')]],
  ['other memory may begin there too', ['anonymous'], [at('7f0004000000-7f0004021000', 'rw-p')]],
  [
    'what lies behind a large gap is no stack',
    ['anonymous'],
    [at('7f0000000000-7f0001000000', '---p'), at('7f0001000000-7f0001801000', 'rw-p')],
  ],
] as const)
  test(what, () => {
    const rows = parseSmaps(lines.join('\n')).filter(
      ({ mappings, kind }) => mappings > 0 && kind !== 'anonymous',
    )
    assert.deepEqual(
      rows.map(({ kind }) => kind),
      kinds.filter((kind) => kind !== 'anonymous'),
    )
  })

test('all segments of a file that is mapped for execution belong to it', () => {
  const text = [entry('/lib/x.so', 'r-xp', 8), entry('/lib/x.so', 'rw-p', 4)].join('\n')
  assert.deepEqual(parseSmaps(text), [
    { kind: 'executable', path: '/lib/x.so', mappings: 2, rssBytes: 12288, swapBytes: 2048 },
  ])
})

test('the largest comes first, and a process with many mappings is folded', () => {
  const many = Array.from({ length: 3000 }, (_, n) => entry(`/tmp/f${n}`, 'r--p', 4)).join('\n')
  const rows = parseSmaps(`${many}\n${entry('', 'rw-p', 100)}`)
  assert.equal(rows[0]?.rssBytes, 1000 * 4096)
  assert.ok(rows.length <= 2002)
  assert.equal(
    rows.reduce((sum, { mappings }) => sum + mappings, 0),
    3001,
  )
})

test('the rows of a real process add up to its smaps', () => {
  const text = readFileSync('/proc/self/smaps', 'latin1')
  const sum = [...text.matchAll(/^Rss: +(\d+) kB/gm)].reduce(
    (total, [, kib]) => total + Number(kib) * 1024,
    0,
  )
  assert.equal(
    parseSmaps(text).reduce((total, { rssBytes }) => total + rssBytes, 0),
    sum,
  )
})
