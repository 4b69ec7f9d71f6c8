import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { execa } from 'execa'
import { S3mini } from 's3mini'
import { listDumps } from '../../src/store/read-dumps.ts'
import { becomes } from '../setup/becomes.ts'
import { memoryCgroupVersion } from '../setup/memory-cgroup.ts'
import { hierarchies, newPod, type Pod, removeCgroup, removeCgroups } from '../setup/pod-cgroup.ts'
import { RuncContainer } from '../setup/runc.ts'
import { hasRuntimeSeccomp } from '../setup/runtime-seccomp.ts'
import { type S3Server, startS3, whyNoS3 } from '../setup/s3-server.ts'
import { RunningService } from '../setup/service.ts'

const here = new URL('../..', import.meta.url).pathname
const dist = (name: string): string => join(here, 'dist', name)

const needs = (): string | false => {
  const noS3 = whyNoS3()
  if (noS3 !== false) return noS3
  if (memoryCgroupVersion() === undefined) return 'needs the memory controller'
  return existsSync('/usr/sbin/runc') && hasRuntimeSeccomp()
    ? false
    : 'needs runc and golang-github-containers-common'
}

/** Three services of three users, each with a limit of its own; two of them are the same program. */
const SERVICES = [
  { name: 'web', program: 'leak.py', args: ['3'], memory: '380Mi', runAsUser: 1000 },
  { name: 'worker', program: 'leak.py', args: ['4'], memory: '420Mi', runAsUser: 33 },
  { name: 'batch', program: 'hoard.py', args: [], memory: '400Mi', runAsUser: 0 },
] as const

const HOARD = `import time
class Report:
    def __init__(self, n):
        self.rows = ["%d %d" % (n, row) for row in range(500)]
ARCHIVE = {}
print("ready", flush=True)
while True:
    ARCHIVE[len(ARCHIVE)] = Report(len(ARCHIVE))
    time.sleep(0.01)
`

describe('three pods, one daemon, one bucket', { skip: needs(), timeout: 300_000 }, () => {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-fleet-'))
  const store = join(scratch, 'store')
  const kubepods = hierarchies().filter((at) => !existsSync(join(at, 'kubepods')))
  const pods = SERVICES.map(() => newPod())
  const containers: RuncContainer[] = []
  let server: S3Server
  let daemon: RunningService
  let base: string

  const keys = () => ({ AWS_ACCESS_KEY_ID: server.accessKey, AWS_SECRET_ACCESS_KEY: server.secretKey })
  const bucket = (): S3mini =>
    new S3mini({
      accessKeyId: server.accessKey,
      secretAccessKey: server.secretKey,
      endpoint: `${server.endpoint}/dumps`,
      region: server.region,
    })
  const startDaemon = async (): Promise<RunningService> => {
    const started = new RunningService(
      process.execPath,
      [dist('pyheap-watchd.js'), '--config', join(scratch, 'config.yaml')],
      {
        env: { ...process.env, ...keys(), NODE_NAME: 'node-1' },
      },
    )
    await started.said('watching')
    return started
  }
  const startService = async (index: number): Promise<void> => {
    const [service, pod] = [SERVICES[index], pods[index]]
    assert.ok(service && pod)
    const lower = join(scratch, `${service.name}-program`)
    mkdirSync(lower)
    if (service.program === 'leak.py')
      copyFileSync(join(here, 'test/targets/leak.py'), join(lower, 'leak.py'))
    else writeFileSync(join(lower, service.program), HOARD)
    const spec = {
      securityContext: { runAsUser: service.runAsUser },
      containers: [
        { name: service.name, image: '', command: [], resources: { limits: { memory: service.memory } } },
      ],
    } as const
    const container = RuncContainer.start(scratch, service.name, spec, {
      root: `${lower}:${base}`,
      volumes: {},
      cgroup: pod.cgroup,
      env: {},
      command: ['python3', `/${service.program}`, ...service.args],
    })
    containers.push(container)
    await container.service.said('ready')
  }
  const pyheapctl = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await execa(
      process.execPath,
      [dist('pyheapctl.js'), ...args, '--store', 's3://dumps/fleet', '--config', join(scratch, 'none.yaml')],
      {
        env: {
          ...keys(),
          AWS_ENDPOINT_URL: server.endpoint,
          AWS_REGION: server.region,
          XDG_CACHE_HOME: join(scratch, 'cache'),
        },
      },
    )
    return stdout
  }
  const dumpsOf = async (index: number): Promise<number> =>
    (await listDumps(store, SERVICES[index]?.name)).dumps.length
  const sent = (): number => daemon.output.split('dump sent').length - 1

  before(async () => {
    chmodSync(scratch, 0o755)
    mkdirSync(store, { mode: 0o750 })
    base = execFileSync('sh', [join(here, 'test/setup/make-debian.sh')], { encoding: 'utf8' }).trim()
    server = await startS3()
    await bucket().createBucket()
    writeFileSync(join(scratch, 'none.yaml'), '{}')
    writeFileSync(
      join(scratch, 'config.yaml'),
      JSON.stringify({
        store: { dir: store, reserve: '16MiB' },
        daemon: { socket: join(scratch, 'control.sock') },
        targets: SERVICES.map(({ name }, index) => ({ name, match: { cgroup: pods[index]?.cgroup } })),
        rules: [{ name: 'near-limit', when: { limit: { above: '20%' } }, for: '0s' }],
        baseline: 'off',
        upload: {
          endpoint: server.endpoint,
          bucket: 'dumps',
          region: server.region,
          prefix: 'fleet/{node}',
          bandwidth: '50MiB/s',
        },
      }),
    )
    daemon = await startDaemon()
  })

  after(async () => {
    await daemon?.stop()
    for (const container of containers) await container.end()
    await server?.stop()
    rmSync(scratch, { recursive: true })
    for (const pod of pods) removeCgroups(pod)
    for (const at of kubepods) for (const name of ['burstable', '']) removeCgroup(join(at, 'kubepods', name))
  })

  test('a dump is in the bucket soon after it is published', async () => {
    await startService(0)
    await becomes(
      () => (sent() > 0 ? true : undefined),
      60_000,
      () => daemon.output,
    )
    assert.equal(await dumpsOf(0), 1)
    const { container_id: id } = (await listDumps(store)).dumps[0]?.manifest.process ?? {}
    assert.equal(id, (pods[0] as Pod).container)
  })

  test('while the storage is away captures go on, and a restart forgets nothing', async () => {
    await server.pause()
    await startService(1)
    await becomes(
      async () => ((await dumpsOf(1)) > 0 ? true : undefined),
      60_000,
      () => daemon.output,
    )
    await daemon.said('dump not sent', 30_000)
    const { stdout } = await execa(process.execPath, [
      dist('pyheapctl.js'),
      'status',
      '--config',
      join(scratch, 'config.yaml'),
    ])
    assert.match(stdout, /uploads +1 to be sent: .*ECONNREFUSED/)
    await daemon.stop()
    daemon = await startDaemon()
    await startService(2)
    await becomes(
      async () => ((await dumpsOf(2)) > 0 ? true : undefined),
      60_000,
      () => daemon.output,
    )
    assert.equal(sent(), 0)
  })

  test('once it is back everything is there, whole and once', async () => {
    await server.resume()
    await becomes(
      () => (sent() >= 2 ? true : undefined),
      60_000,
      () => daemon.output,
    )
    const objects = (await bucket().listObjects('/', 'fleet/')) ?? []
    const { dumps } = await listDumps(store)
    assert.deepEqual(dumps.map(({ manifest: { target } }) => target).toSorted(), ['batch', 'web', 'worker'])
    const expected = dumps.flatMap(({ id, manifest: { files } }) =>
      [...files.map(({ name }) => name), 'dump.json'].map((name) => `fleet/node-1/${id}/${name}`),
    )
    assert.deepEqual(objects.map(({ Key }) => Key).toSorted(), expected.toSorted())
    for (const { Key } of objects) {
      const local = readFileSync(join(store, Key.slice('fleet/node-1/'.length)))
      const there = Buffer.from((await bucket().getObjectArrayBuffer(Key)) ?? new ArrayBuffer())
      assert.equal(digest(there), digest(local), Key)
    }
  })

  test('list, show and diff read the bucket, and the same leak of two services is one', async () => {
    const { dumps } = JSON.parse(await pyheapctl('list', '--json')) as { dumps: { id: string }[] }
    assert.deepEqual(
      new Set(dumps.map(({ id }) => id.split('/')[0])),
      new Set(['node-1.batch', 'node-1.web', 'node-1.worker']),
    )
    assert.equal(dumps.length, 3)
    const shown = await pyheapctl('show', 'node-1.worker')
    assert.match(shown, /LEDGER \(list, .* entries of .*Entry\)/)
    assert.match(shown, /node-1/)
    assert.match(await pyheapctl('diff', 'node-1.web', 'node-1.worker'), /LEDGER/)
    assert.match(await pyheapctl('show', 'node-1.batch', '--verdict'), /ARCHIVE/)
    const { groups } = JSON.parse(await pyheapctl('list', '--group', '--json')) as {
      groups: { dumps: number; targets: string[]; hosts: string[] }[]
    }
    assert.deepEqual(
      groups.map(({ dumps: count, targets, hosts }) => [count, targets.toSorted(), hosts]),
      [
        [2, ['web', 'worker'], ['node-1']],
        [1, ['batch'], ['node-1']],
      ],
    )
    assert.match(await pyheapctl('list', 'web'), /node-1\.web/)
  })

  test('the services go on', () => {
    for (const { service } of containers) assert.ok(service.isAlive, service.output)
  })
})

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
