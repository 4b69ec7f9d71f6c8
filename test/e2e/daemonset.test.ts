import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parse } from 'yaml'
import { becomes } from '../setup/becomes.ts'
import { memoryCgroupVersion } from '../setup/memory-cgroup.ts'
import { buildImage, projectConfig, withInit } from '../setup/node-image.ts'
import { hierarchies, newPod, type Pod, removeCgroup, removeCgroups } from '../setup/pod-cgroup.ts'
import type { Placing, PodSpec } from '../setup/pod-bundle.ts'
import { mountOver, RuncContainer } from '../setup/runc.ts'
import { hasRuntimeSeccomp } from '../setup/runtime-seccomp.ts'

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
  return existsSync('/usr/sbin/runc') && hasRuntimeSeccomp()
    ? false
    : 'needs runc and golang-github-containers-common'
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
    projectConfig(join(scratch, 'config'), {
      store: { reserve: '16MiB' },
      targets: [api, ending].map(({ cgroup }, index) => ({ name: `pod-${index}`, match: { cgroup } })),
      rules: [{ name: 'near-limit', when: { limit: { above: '50%' } }, for: '0s' }],
      baseline: 'off',
    })
    // With a user namespace of its own (hostUsers: false).
    target = startService('api', api, { rate: '4', runAsUser: 0, userNamespaceAt: 524_288 })
    await target.service.said('ready')
    daemon = startDaemon('daemon', own, withInit(podOf('daemonset.yaml').containers[0].command))
  })

  after(async () => {
    await daemon?.end()
    await target?.end()
    execFileSync('umount', ['-l', join(image, 'root')])
    rmSync(scratch, { recursive: true })
    for (const pod of [api, ending, own]) removeCgroups(pod)
    for (const at of kubepods) for (const name of ['burstable', '']) removeCgroup(join(at, 'kubepods', name))
  })

  function startDaemon(id: string, { cgroup }: Pod, command: readonly string[]): RuncContainer {
    const ours = ['config', 'store', 'run', 'tmp'].map((name) => [name, join(scratch, name)] as const)
    return RuncContainer.start(scratch, id, podOf('daemonset.yaml'), {
      root: join(image, 'root'),
      volumes: { ...Object.fromEntries(ours), cgroup: '/sys/fs/cgroup', tracing: '/sys/kernel/tracing' },
      cgroup,
      env: { NODE_NAME: 'node-1' },
      command,
    })
  }

  /** The example's pod, with another program. */
  function startService(
    id: string,
    pod: Pod,
    {
      rate,
      runAsUser,
      ...more
    }: { readonly rate: string; readonly runAsUser: number } & Pick<Placing, 'userNamespaceAt'>,
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
          ...(more.userNamespaceAt === undefined ? {} : { volumeMounts: [] }),
        },
      ],
    }
    return RuncContainer.start(scratch, id, spec, {
      root: `${lower}:${base}`,
      volumes: { 'pyheap-watchd': join(scratch, 'run') },
      cgroup: pod.cgroup,
      env: { POD_UID: pod.uid },
      command: ['python3', '/leak.py', rate],
      ...more,
    })
  }

  test('a leak in another container is captured, named, and measured by that container’s limit', async () => {
    const dump = await becomes(
      () => {
        assert.ok(daemon.service.isAlive, daemon.service.output)
        return dumpsOf(store, 'near-limit')[0]
      },
      90_000,
      () => daemon.service.output,
    )
    const manifest = JSON.parse(readFileSync(join(dump, 'dump.json'), 'utf8')) as {
      readonly method: string
    }
    assert.match(JSON.stringify(manifest), new RegExp(`"where":"${api.cgroup}"`))
    assert.match(JSON.stringify(manifest), new RegExp(String(200 * 2 ** 20)))
    assert.notEqual(manifest.method, 'inline')
    assert.match(readFileSync(join(dump, 'summary.txt'), 'utf8'), /LEDGER/)
  })

  test('the target goes on', () => {
    assert.ok(target.service.isAlive)
    assert.match(readFileSync(`/proc/${target.pid}/status`, 'utf8'), /^State:\s[RS]/m)
  })

  test('without nsenter it would see cgroups of others from below its own', async () => {
    const other = newPod()
    const look = ['cat', `/proc/${target.pid}/cgroup`]
    const container = startDaemon('look', other, look)
    try {
      await container.service.said('memory')
      assert.match(container.service.output, /:memory:\/\.\.\//)
    } finally {
      await container.end()
      removeCgroups(other)
    }
    assert.match((await daemon.exec(look)).out, new RegExp(`:memory:${api.cgroup}`))
  })

  test('the kubelet’s probe is answered', async () => {
    const [{ livenessProbe }] = podOf('daemonset.yaml').containers
    const { code, out } = await daemon.exec(livenessProbe?.exec.command ?? [])
    assert.equal(code, 0, out)
  })

  test('doctor finds nothing that has to be fixed, and the probe for growth works', async () => {
    const { code, out } = await daemon.exec(['pyheapctl', 'doctor'])
    assert.equal(code, 0, out)
    assert.match(out, /^ok +probe +rss by bpftrace$/m)
    assert.match(out, /^ok +cgroup .*pyheap-snapshots$/m)
  })

  test('a pod that is stopped is captured before, by the example’s hook', async () => {
    const container = startService('ending', ending, { rate: '0.1', runAsUser: 1000 })
    try {
      await container.service.said('ready')
      const isWatched = async (): Promise<true | undefined> =>
        (await daemon.exec(['pyheapctl', 'status'])).out.includes('pod-1') || undefined
      await becomes(isWatched, 20_000)
      const [{ lifecycle }] = podOf('examples/api.yaml').containers
      const { code, out } = await container.exec(lifecycle?.preStop?.exec.command ?? [])
      assert.equal(code, 0, out)
      assert.match(out, /-guard"/)
      assert.equal(dumpsOf(store, 'guard').length, 1)
    } finally {
      await container.end()
    }
  })

  test('told to stop it ends by itself, and nothing is left', async () => {
    const { pid } = daemon
    await daemon.end('TERM')
    assert.equal(daemon.service.process.exitCode, 0, daemon.service.output)
    const tracing = '/sys/kernel/tracing/instances'
    if (existsSync(tracing)) assert.ok(!readdirSync(tracing).includes(`pyheap-watchd-${pid}`))
    const snapshots = join(
      hierarchies().find((at) => at.endsWith('/memory')) ?? '/sys/fs/cgroup',
      'pyheap-snapshots',
    )
    const procs = hierarchies()
      .map((at) => join(at, own.cgroup, 'cgroup.procs'))
      .filter(existsSync)
    await becomes(() => procs.every((file) => readFileSync(file, 'utf8') === '') || undefined, 10_000)
    const left = (): readonly string[] =>
      readdirSync(snapshots).filter((name) => name.startsWith(`${target.pid}-`))
    await becomes(() => (left().length === 0 ? '' : undefined), 10_000)
    assert.equal(
      readdirSync(store, { recursive: true }).filter((name) => String(name).endsWith('.partial')).length,
      0,
    )
  })
})

const dumpsOf = (store: string, rule: string): readonly string[] =>
  readdirSync(store, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => readdirSync(join(store, name)).map((dump) => join(store, name, dump)))
    .filter((path) => path.endsWith(`-${rule}`))
