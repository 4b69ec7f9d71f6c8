import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'yaml'
import { RuncContainer, mountOver } from '../setup/runc.ts'
import { readKnownConfig } from '../setup/kubernetes-config.ts'
import { memoryCgroupVersion } from '../setup/memory-cgroup.ts'
import type { PodSpec } from '../setup/pod-bundle.ts'

const here = new URL('../..', import.meta.url).pathname
const kubernetes = join(here, 'config/kubernetes')
const podOf = (file: string): PodSpec => {
  const { spec } = parse(readFileSync(join(kubernetes, file), 'utf8')) as {
    readonly spec: { readonly template: { readonly spec: PodSpec } }
  }
  return spec.template.spec
}

const version = memoryCgroupVersion()
const needs = (): string | false => {
  if (process.getuid?.() !== 0) return 'needs root, to run containers'
  if (version === undefined) return 'needs the memory controller'
  return existsSync('/usr/sbin/runc') && existsSync('/usr/share/containers/seccomp.json')
    ? false
    : 'needs runc and golang-github-containers-common'
}

const hierarchies = (): readonly string[] =>
  version === 2
    ? ['/sys/fs/cgroup']
    : readdirSync('/sys/fs/cgroup').map((controller) => `/sys/fs/cgroup/${controller}`)

/** A pod's cgroup, as a kubelet without systemd names it. */
type Pod = { readonly uid: string; readonly cgroup: string; readonly container: string }
const newPod = (): Pod => {
  const uid = randomUUID()
  const container = randomBytes(32).toString('hex')
  return { uid, container, cgroup: `/kubepods/burstable/pod${uid}/${container}` }
}

describe('the DaemonSet as a runtime runs it', { skip: needs(), timeout: 600_000 }, () => {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-pods-'))
  const store = join(scratch, 'store')
  const kubepods = hierarchies().filter((at) => !existsSync(join(at, 'kubepods')))
  const image = join(scratch, 'image')
  const api = newPod()
  const ending = newPod()
  const own = newPod()
  let daemon: RuncContainer
  let target: RuncContainer
  let base: string

  before(async () => {
    chmodSync(scratch, 0o755)
    base = execFileSync('sh', [join(here, 'test/setup/make-debian.sh')], { encoding: 'utf8' }).trim()
    const root = mountOver(image, base)
    buildImage(root, scratch)
    for (const name of ['store', 'run', 'tmp']) mkdirSync(join(scratch, name), 0o755)
    projectConfig(join(scratch, 'config'), [api, ending])
    // The leak is in memory only, in a container with a user namespace of its own (hostUsers: false).
    target = startService('api', api, ['python3', '/leak.py', '4'], 0, 524_288)
    await target.service.said('ready')
    daemon = RuncContainer.start(scratch, 'daemon', podOf('daemonset.yaml'), {
      root,
      volumes: {
        config: join(scratch, 'config'),
        store,
        run: join(scratch, 'run'),
        tmp: join(scratch, 'tmp'),
        cgroup: '/sys/fs/cgroup',
        tracing: '/sys/kernel/tracing',
      },
      cgroup: own.cgroup,
      env: { NODE_NAME: 'node-1' },
    })
  })

  after(async () => {
    await daemon?.end('TERM')
    await target?.end()
    execFileSync('umount', ['-l', join(image, 'root')])
    rmSync(scratch, { recursive: true })
    for (const at of hierarchies())
      for (const { uid } of [api, ending, own]) remove(join(at, 'kubepods/burstable', `pod${uid}`))
    for (const at of kubepods) for (const name of ['burstable', '']) remove(join(at, 'kubepods', name))
  })

  /** The example's pod, with another program. */
  function startService(
    id: string,
    pod: Pod,
    command: readonly string[],
    runAsUser: number,
    userNamespaceAt?: number,
  ): RuncContainer {
    const example = podOf('examples/api.yaml')
    const [container] = example.containers
    const lower = join(scratch, `${id}-program`)
    mkdirSync(lower)
    copyFileSync(join(here, 'test/targets/leak.py'), join(lower, 'leak.py'))
    const spec: PodSpec = {
      ...example,
      securityContext: { ...example.securityContext, runAsUser },
      containers: [
        {
          ...container,
          resources: { limits: { memory: '200Mi' } },
          // The root of another user namespace may make no mount point in what is not his.
          ...(userNamespaceAt === undefined ? {} : { volumeMounts: [] }),
        },
      ],
    }
    return RuncContainer.start(scratch, id, spec, {
      root: `${lower}:${base}`,
      volumes: { 'pyheap-watchd': join(scratch, 'run') },
      cgroup: pod.cgroup,
      env: { POD_UID: pod.uid },
      command,
      ...(userNamespaceAt === undefined ? {} : { userNamespaceAt }),
    })
  }

  test('a leak in another container is captured, named, and measured by that container’s limit', async () => {
    const dump = await becomes(() => dumpsOf(store, 'near-limit')[0], 90_000, () => daemon.service.output)
    const manifest = JSON.parse(readFileSync(join(dump, 'dump.json'), 'utf8')) as {
      readonly fired: { readonly limit?: { readonly where: string; readonly limitBytes: number } }
      readonly method: string
    }
    assert.match(JSON.stringify(manifest), new RegExp(`"where":"${api.cgroup}"`))
    assert.match(JSON.stringify(manifest), new RegExp(String(200 * 2 ** 20)))
    assert.equal(manifest.method, 'snapshot')
    assert.match(readFileSync(join(dump, 'summary.txt'), 'utf8'), /LEDGER/)
  })

  test('the target goes on', () => {
    assert.ok(target.service.isAlive)
    assert.match(readFileSync(`/proc/${target.pid}/status`, 'utf8'), /^State:\s[RS]/m)
  })

  test('the kubelet’s probe is answered', async () => {
    const [{ livenessProbe }] = podOf('daemonset.yaml').containers
    const { code, out } = await daemon.exec(livenessProbe?.exec.command ?? [])
    assert.equal(code, 0, out)
  })

  test('doctor finds nothing that has to be fixed, and the probe for growth works', async () => {
    const { code, out } = await daemon.exec(['pyheapctl', 'doctor'])
    assert.equal(code, 0, out)
    console.error(out)
  })

  test('a pod that is stopped is captured before, by the example’s hook', async () => {
    const container = startService('ending', ending, ['python3', '/leak.py', '0.1'], 1000)
    try {
      await container.service.said('ready')
      await becomes(async () => ((await daemon.exec(['pyheapctl', 'ps'])).out.includes('leak.py') ? '' : undefined), 20_000)
      const [{ lifecycle }] = podOf('examples/api.yaml').containers
      const { code, out } = await container.exec(lifecycle?.preStop?.exec.command ?? [])
      assert.equal(code, 0, out)
      assert.match(out, /-guard"/)
      assert.equal(dumpsOf(store, 'guard').length, 1)
    } finally {
      await container.end()
    }
  })

  test('nothing is left of snapshots', async () => {
    const snapshots = join(hierarchies().find((at) => at.endsWith('/memory')) ?? '/sys/fs/cgroup', 'pyheap-snapshots')
    const left = (): readonly string[] =>
      readdirSync(snapshots).filter((name) => name.startsWith(`${target.pid}-`))
    await becomes(() => (left().length === 0 ? '' : undefined), 10_000)
    assert.equal(readdirSync(store, { recursive: true }).filter((name) => String(name).endsWith('.partial')).length, 0)
  })
})

/** What the Containerfile says, without a tool that builds images: its COPY and its RUN. */
function buildImage(root: string, scratch: string): void {
  const packages = join(scratch, 'packages')
  execFileSync('sh', [join(here, 'systemd/package/build.sh'), '--deb-only', '--out', packages], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const file = readFileSync(join(kubernetes, 'Containerfile'), 'utf8').replaceAll('\\\n', '')
  const version_ = /^ARG VERSION=(.*)$/m.exec(file)?.[1] ?? ''
  const [, source = '', folder = ''] = /^COPY (\S+) (\S+)$/m.exec(file) ?? []
  const deb = source.replaceAll('${VERSION}', version_)
  copyFileSync(join(packages, deb), join(root, folder, deb))
  execFileSync('chroot', [root, '/bin/sh', '-c', /^RUN (.*)$/m.exec(file)?.[1] ?? 'false'], {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', VERSION: version_, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 300_000,
  })
}

/** As the kubelet lays a projected volume: a sticky directory of links. */
function projectConfig(folder: string, pods: readonly Pod[]): void {
  const data = '..data'
  const ours = {
    store: { reserve: '16MiB' },
    targets: pods.map(({ cgroup }, index) => ({ name: `pod-${index}`, match: { cgroup } })),
    rules: [{ name: 'near-limit', when: { limit: { above: '50%' } }, for: '0s' }],
    baseline: 'off',
  }
  mkdirSync(join(folder, '..2026', 'config.d'), { recursive: true })
  chmodSync(folder, 0o1777)
  const shipped = readKnownConfig(readFileSync(join(kubernetes, 'config.yaml'), 'utf8'))
  writeFileSync(join(folder, '..2026', 'config.yaml'), shipped)
  writeFileSync(join(folder, '..2026', 'config.d', 'test.yaml'), JSON.stringify(ours))
  symlinkSync('..2026', join(folder, data))
  for (const name of ['config.yaml', 'config.d']) symlinkSync(`${data}/${name}`, join(folder, name))
}

const dumpsOf = (store: string, rule: string): readonly string[] =>
  readdirSync(store, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => readdirSync(join(store, name)).map((dump) => join(store, name, dump)))
    .filter((path) => path.endsWith(`-${rule}`))

async function becomes<T>(
  look: () => T | undefined | Promise<T | undefined>,
  withinMs: number,
  explain: () => string = () => '',
): Promise<T> {
  const end = performance.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    assert.ok(performance.now() < end, `it never came to that\n${explain()}`)
    await sleep(200)
  }
}

function remove(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    // Another's, or never made.
  }
}
