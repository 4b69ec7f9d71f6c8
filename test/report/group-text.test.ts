import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupByLeak, renderGroups } from '../../src/report/group-text.ts'
import type { ListedDump } from '../../src/report/list-text.ts'
import { makeManifest } from '../store/make-manifest.ts'
import { plainStyle } from '../../src/report/layout.ts'

const machine = (host: string) => ({ host, os: '', kernel: '', architecture: '', cpus: 1, memoryBytes: 1 })
const dump = (id: string, at: string, host: string, fingerprint?: string): ListedDump => ({
  id,
  headline: `what ${id} says`,
  manifest: {
    ...makeManifest({
      started_at: at,
      machine: machine(host),
      fingerprint,
      rss_bytes: id === 'api/2' ? 3 * 2 ** 30 : 1e9,
      target: id.split('/')[0] ?? '',
    }),
    files: [],
  },
})
const dumps = [
  dump('api/3', '2026-11-30T12:00:00.000Z', 'web-1', 'aaaaaaaaaaaa'),
  dump('web/2', '2026-11-30T11:00:00.000Z', 'web-2'),
  dump('api/2', '2026-11-30T10:00:00.000Z', 'web-2', 'aaaaaaaaaaaa'),
  dump('web/1', '2026-11-30T09:00:00.000Z', 'web-1', 'bbbbbbbbbbbb'),
  dump('web/0', '2026-11-30T08:00:00.000Z', 'web-1'),
  dump('web/9', '2026-11-30T07:00:00.000Z', 'web-1'),
]

test('dumps of one leak are one group, the largest first and the nameless last', () => {
  const groups = groupByLeak(dumps)
  assert.deepEqual(
    groups.map(({ fingerprint, dumps: count }) => [fingerprint, count]),
    [
      ['aaaaaaaaaaaa', 2],
      ['bbbbbbbbbbbb', 1],
      [undefined, 3],
    ],
  )
  assert.deepEqual(groups[0], {
    fingerprint: 'aaaaaaaaaaaa',
    dumps: 2,
    hosts: ['web-1', 'web-2'],
    targets: ['api'],
    first_at: '2026-11-30T10:00:00.000Z',
    last_at: '2026-11-30T12:00:00.000Z',
    rss_bytes: 3 * 2 ** 30,
    headline: 'what api/3 says',
    latest: 'api/3',
  })
})

test('a line for each leak', () => {
  const text = renderGroups(groupByLeak(dumps), { ...plainStyle, width: 120 })
  const [head = '', first = '', says = ''] = text.split('\n')
  assert.match(head, /^leak +dumps +hosts +targets +last +RSS$/)
  assert.match(first, /^aaaaaaaaaaaa +2 +2 +api +2026-11-30 12:00Z +3 GiB$/)
  assert.equal(says, '    what api/3 says')
  assert.match(text, /\nnone named +3 +2 +web/)
  assert.equal(renderGroups([], plainStyle), 'no dumps\n')
})
