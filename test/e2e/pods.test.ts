import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { innerPid } from '../../src/capture/host-pid.ts'
import { awaitDump } from '../setup/await-dump.ts'
import { createMemoryCgroup } from '../setup/memory-cgroup.ts'
import { answerJson, startPodsServer } from '../setup/pods-server.ts'
import { pyheapctl } from '../setup/run-tool.ts'
import { childrenOf, RunningService, strayProcesses } from '../setup/service.ts'

const watchd = new URL('../../dist/pyheap-watchd.js', import.meta.url).pathname
const leak = new URL('../targets/leak.py', import.meta.url).pathname

const podOf = (name: string, uid: string, id: string, annotations: Readonly<Record<string, string>>) => ({
  metadata: { name, namespace: 'shop', uid, labels: { app: 'api', tier: name }, annotations },
  spec: { containers: [{ name: 'web', image: 'registry.example.com/shop/api:1.2' }] },
  status: { containerStatuses: [{ name: 'web', image: 'sha256:0', containerID: `containerd://${id}` }] },
})

const LEAKING = { name: 'api-1', uid: '3f0c1d2e-9a8b-4c7d-8e6f-0a1b2c3d4e5f', id: 'a1'.repeat(32) }
const QUIET = { name: 'api-2', uid: '4f0c1d2e-9a8b-4c7d-8e6f-0a1b2c3d4e5f', id: 'b2'.repeat(32) }

test('a pod that leaks is captured at the threshold of its annotation, one that has opted out is left alone', async (t) => {
  const root = createMemoryCgroup('pyheap-pods')
  if (!root) return t.skip('needs a memory cgroup that may be written')
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-pods-'))
  const [store, config] = [join(scratch, 'store'), join(scratch, 'config.yaml')]
  const server = await startPodsServer()
  const services: RunningService[] = []
  let daemon: RunningService | undefined
  try {
    for (const { uid, id } of [LEAKING, QUIET])
      services.push(await startInPod(join(root.path, 'kubepods', 'burstable', `pod${uid}`, id)))
    // Kubernetes is down at first: everything is watched without names.
    await server.stop()
    writeFileSync(
      config,
      `store: { dir: ${store}, reserve: 16MiB }
sampling: { interval: 200ms, discovery: 500ms, probe: off }
targets:
  - { name: shop, match: { namespace: 'sh*', labels: { app: api, tier: '*-1' }, runtime: containerd, container: w?b } }
  - { name: rest, match: { cmdline: 'targets/leak\\.py' } }
rules: [{ name: rss-high, when: { rss: { above: 100GiB } } }]
kubernetes: { pods_url: '${server.url}', token_file: ${server.tokenFile}, ca_file: ${server.caFile} }
daemon: { socket: ${scratch}/control.sock }
baseline: off
`,
    )
    server.answer = answerJson({
      kind: 'PodList',
      apiVersion: 'v1',
      metadata: {},
      items: [
        podOf(LEAKING.name, LEAKING.uid, LEAKING.id, { 'pyheap-watchd/rss': '120MiB' }),
        podOf(QUIET.name, QUIET.uid, QUIET.id, {
          'pyheap-watchd/watch': 'false',
          'pyheap-watchd/rss': '120MB and more',
        }),
      ],
    })
    daemon = new RunningService(process.execPath, [watchd, '--config', config])
    await daemon.said('cannot ask for pods')
    await daemon.said('"target":"rest"')
    await server.listen(Number(new URL(server.url).port))
    await daemon.said('pods tell their names again', 30_000)
    await daemon.said('"pod":"shop/api-2","msg":"pod is not watched')
    await daemon.said('an annotation of a pod cannot be understood')
    await daemon.said(`"target":"shop"`)
    const [pid = 0, quiet = 0] = services.map(({ pid: outer }) => pythonBelow(outer))
    const dump = await awaitDump(join(store, 'shop'))
    const manifest = JSON.parse(readFileSync(join(dump, 'dump.json'), 'utf8')) as Manifest
    assert.equal(manifest.rule, 'pod-rss')
    assert.equal(manifest.outcome, 'captured', daemon.output)
    assert.deepEqual(manifest.process.container, {
      runtime: 'containerd',
      pod_uid: LEAKING.uid,
      pod: 'api-1',
      namespace: 'shop',
      name: 'web',
      image: 'registry.example.com/shop/api:1.2',
      labels: { app: 'api', tier: 'api-1' },
    })
    const { container_id: container, pid: told, inside_pid: inside } = manifest.process
    assert.deepEqual([container, told, inside], [LEAKING.id, pid, innerPid('/proc', pid)])
    assert.notEqual(inside, pid)

    const shown = (await pyheapctl('show', dump)).out
    assert.match(shown, /module __main__: LEDGER \(list, [\d,]+ entries of Entry\)/)
    assert.match(shown.replaceAll(/\s+/g, ' '), new RegExp(`pid ${pid}, ${inside} inside`))
    assert.match(
      shown.replaceAll(/\s+/g, ' '),
      /container shop\/api-1\/web \(containerd a1a1a1a1a1a1\), image registry/,
    )
    const ps = await pyheapctl('ps', '--config', config)
    assert.match(ps.out, /shop\/api-1\/web/)
    assert.doesNotMatch(ps.out, new RegExp(`\\b${quiet}\\b`))
    assert.match(ps.err, /"120MB and more" is no size: write 512MiB/)
    const explained = (await pyheapctl('explain', String(pid), '--config', config)).out
    assert.match(explained, /pod-rss/)
    assert.doesNotMatch(explained, /rss-high/)
    assert.match((await pyheapctl('explain', String(quiet), '--config', config)).err, /its pod has opted out/)
    assert.equal(daemon.output.split('pod is not watched').length, 2, 'it is told once')
    assert.deepEqual(
      readdirSync(store).filter((name) => name === 'rest'),
      [],
    )
    await daemon.stop()
    assert.deepEqual(strayProcesses(), [])
  } finally {
    await daemon?.stop()
    // unshare passes no other signal on.
    for (const service of services) service.process.kill('SIGKILL')
    for (const service of services) await service.stop()
    for (const { uid, id } of [LEAKING, QUIET])
      await removeUpTo(join(root.path, 'kubepods', 'burstable', `pod${uid}`, id), root.path)
    await root.remove()
    await server.close()
    rmSync(scratch, { recursive: true })
  }
})

type Manifest = {
  readonly rule: string
  readonly outcome: string
  readonly process: {
    readonly pid: number
    readonly inside_pid: number
    readonly container_id: string
    readonly container: object
  }
}

/** A leaking Python as a container runs it: in a cgroup of its own, and in its own pid and mount namespaces. */
async function startInPod(cgroup: string): Promise<RunningService> {
  mkdirSync(cgroup, { recursive: true })
  const enter = `echo $$ > ${cgroup}/cgroup.procs && exec unshare --pid --mount-proc --fork --kill-child=KILL "$@"`
  const inside = '/usr/bin/python3 "$@" & wait'
  const service = new RunningService('sh', ['-c', enter, 'sh', 'sh', '-c', inside, 'sh', leak, '10', '1'])
  await service.said('ready')
  return service
}

/** The Python that a shell in a namespace of its own has started. */
function pythonBelow(pid: number): number {
  for (const stat of childrenOf(pid)) {
    const child = Number(stat.split(' ')[0])
    const found = stat.includes('(python3') ? child : pythonBelow(child)
    if (found !== 0) return found
  }
  return 0
}

/** A cgroup can only be removed when its last process is really gone. */
async function removeUpTo(path: string, end: string): Promise<void> {
  for (let at = path; at !== end; at = dirname(at))
    for (let tries = 0; tries < 60; tries++)
      try {
        rmdirSync(at)
        break
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EBUSY') break
        await sleep(50)
      }
}
