import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { Profile } from 'pprof-format'
import { RunningService, startTarget } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes'
const watchd = new URL('../../dist/pyheap-watchd.js', import.meta.url).pathname

type Taken = {
  readonly path: string
  readonly authorization: string
  readonly type: string
  readonly body: Buffer
}

test(
  'a dump is pushed as a profile, again to who was busy, and a store that is down stops nobody',
  { skip },
  async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'pyheap-push-'))
    const taken: Taken[] = []
    const server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const { url = '', headers } = request
        const isFirst =
          taken.push({
            path: url,
            authorization: headers.authorization ?? '',
            type: headers['content-type'] ?? '',
            body: Buffer.concat(parts),
          }) === 1
        response.writeHead(isFirst ? 503 : 200).end()
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    writeFileSync(join(scratch, 'token'), 's3cret\n')
    writeFileSync(
      join(scratch, 'config.yaml'),
      `store: { dir: ${join(scratch, 'store')}, reserve: 16MiB }
targets: [{ name: heap, match: { cmdline: 'targets/heap.py 4712' } }]
rules: [{ name: high, when: { rss: { above: 1MiB } }, for: 0s }]
baseline: off
profiles:
  - { kind: parca, url: 'http://127.0.0.1:${port}', token_file: ${join(scratch, 'token')} }
  - { kind: pyroscope, url: 'http://127.0.0.1:1' }
  - { kind: pyroscope, url: 'http://127.0.0.1:${port}', labels: { env: test } }
`,
    )
    const service = await startTarget('/usr/bin/python3', 'heap', '4712')
    const daemon = new RunningService(process.execPath, [watchd, '--config', join(scratch, 'config.yaml')])
    try {
      await daemon.said('dump published', 60_000)
      const end = performance.now() + 60_000
      // It is logged a little after it was taken.
      const isDone = (): boolean =>
        taken.length === 3 && daemon.output.split('"the profile was pushed"').length === 3
      while (!isDone() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 100))
      const [busy, parca, pyroscope] = taken
      assert.ok(busy && parca && pyroscope, daemon.output)
      assert.deepEqual([busy.path, parca.path], ['/profiles/writeraw', '/profiles/writeraw'])
      assert.equal(parca.authorization, 'Bearer s3cret')
      const { series } = JSON.parse(parca.body.toString()) as {
        series: { samples: { rawProfile: string }[] }[]
      }
      const raw = Buffer.from(series[0]?.samples[0]?.rawProfile ?? '', 'base64')
      const profile = Profile.decode(gunzipSync(raw))
      assert.ok(profile.stringTable.strings.includes('HEAP'))
      assert.match(pyroscope.path, /^\/ingest\?name=pyheap%7Btarget%3Dheap.*env%3Dtest/)
      assert.match(pyroscope.type, /^multipart\/form-data/)
      assert.ok(pyroscope.body.includes(raw), 'the same profile')
      assert.match(daemon.output, /"url":"http:\/\/127\.0\.0\.1:1".*"the profile was not pushed"/)
      assert.equal(daemon.output.split('"the profile was pushed"').length - 1, 2)
    } finally {
      await daemon.stop()
      await service.stop()
      server.close()
      rmSync(scratch, { recursive: true })
    }
  },
)
