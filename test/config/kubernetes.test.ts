import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { test, type TestContext } from 'node:test'
import { execa } from 'execa'
import { parse, parseAllDocuments } from 'yaml'
import { parseConfig } from '../../src/config/parse.ts'
import { readKnownConfig } from '../setup/kubernetes-config.ts'
import type { PodSpec } from '../setup/pod-bundle.ts'
import { renderChart } from '../setup/render-chart.ts'
import { findMistakes, type Manifest } from '../setup/validate-manifest.ts'
import { checkCron } from './cron.ts'

const folder = new URL('../../config/kubernetes', import.meta.url).pathname
const chart = join(folder, 'helm/pyheap-watchd')
const read = (file: string): string => readFileSync(join(folder, file), 'utf8')

type DaemonSet = Manifest & { readonly spec: { readonly template: { readonly spec: PodSpec } } }

const documents = (text: string): readonly Manifest[] =>
  parseAllDocuments(text).flatMap((document) => {
    assert.deepEqual([...document.errors, ...document.warnings], [])
    const value = document.toJS() as Manifest | null
    return value === null ? [] : [value]
  })

const daemonSetOf = (manifests: readonly Manifest[]): DaemonSet => {
  const found = manifests.find(({ kind }) => kind === 'DaemonSet')
  assert.ok(found)
  return found as DaemonSet
}

/** What the API server would have against them. Kinds of other people's, ServiceMonitor that is, have no schema here. */
const mistakesOf = (manifests: readonly Manifest[]): readonly string[] =>
  manifests.flatMap((manifest) => {
    const mistakes = findMistakes(manifest)
    if (mistakes === undefined) assert.equal(manifest.kind, 'ServiceMonitor')
    return (mistakes ?? []).map((mistake) => `${manifest.kind} ${manifest.metadata.name}: ${mistake}`)
  })

const manifests = [
  'namespace.yaml',
  'rbac.yaml',
  'daemonset.yaml',
  'metrics/monitor.yaml',
  'metrics/rbac.yaml',
]
const examples = readdirSync(join(folder, 'examples')).map((name) => `examples/${name}`)

for (const file of [...manifests, ...examples])
  test(`${file} is what Kubernetes knows`, () => {
    assert.deepEqual(mistakesOf(documents(read(file))), [])
  })

test('a field that is misspelt, of another type, missing or not allowed is found', () => {
  const cases = [
    ['readOnlyRootFilesystem: true', 'readOnlyRootFilesytem: true', /readOnlyRootFilesytem: unknown$/],
    ['hostPID: true', 'hostPID: yes please', /\/spec\/template\/spec\/hostPID: type$/],
    ['name: NODE_NAME', 'nome: NODE_NAME', /env\/0: required$/],
    ['kind: DaemonSet', 'kind: DaemonSet\nmetadate: {}', /\/metadate: unknown$/],
    ['mountPath: /tmp', 'mountpath: /tmp', /volumeMounts\/5: required$/],
  ] as const
  for (const [right, wrong, expected] of cases) {
    const [first] = mistakesOf(documents(read('daemonset.yaml').replace(right, wrong)))
    assert.match(first ?? 'none', expected)
  }
})

test('kubectl makes valid manifests of the kustomization, and the pods mount its ConfigMap', async (t) => {
  const made = await kustomize(t, folder)
  if (made === undefined) return
  assert.deepEqual(mistakesOf(made), [])
  const config = made.find(({ kind }) => kind === 'ConfigMap') as Manifest & {
    readonly data: Readonly<Record<string, string>>
  }
  assert.deepEqual(config.data, { 'config.yaml': read('config.yaml') })
  assert.match(
    JSON.stringify(daemonSetOf(made)),
    new RegExp(`"configMap":{"name":"${config.metadata.name}"}`),
  )
  assert.equal(podOf(made).containers[0].image, 'registry.example.com/pyheap-watchd:0.1.0')
  assert.deepEqual([...new Set(made.map(({ metadata }) => metadata.namespace))], [undefined, 'pyheap-watchd'])
})

test('the component adds a proxy for metrics, and changes nothing else', async (t) => {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-kustomize-'))
  try {
    const up = relative(scratch, folder)
    writeFileSync(
      join(scratch, 'kustomization.yaml'),
      JSON.stringify({ resources: [up], components: [`${up}/metrics`] }),
    )
    const made = await kustomize(t, scratch)
    const plain = await kustomize(t, folder)
    if (made === undefined || plain === undefined) return
    assert.deepEqual(mistakesOf(made), [])
    const { containers, ...rest } = podOf(made)
    const { containers: before, ...restBefore } = podOf(plain)
    assert.deepEqual(containers.map(({ name }) => name).toSorted(), ['kube-rbac-proxy', 'pyheap-watchd'])
    assert.deepEqual(
      containers.find(({ name }) => name === 'pyheap-watchd'),
      before[0],
    )
    assert.deepEqual(rest, restBefore)
  } finally {
    rmSync(scratch, { recursive: true })
  }
})

test('the daemon reads its configuration, and the examples in it', () => {
  const shipped = read('config.yaml')
  for (const text of [shipped, shipped.replaceAll(/^#\| /gm, '')]) {
    const result = parseConfig([{ path: 'config.yaml', text: readKnownConfig(text) }], { checkCron })
    assert.equal(result.kind, 'config', JSON.stringify(result))
  }
})

test('the DaemonSet has the capabilities of the unit, each with a reason, and is not privileged', () => {
  const unit = readFileSync(new URL('../../systemd/pyheap-watchd.service', import.meta.url), 'utf8')
  const bounding = /^CapabilityBoundingSet=(.*)$/m.exec(unit)?.[1]?.split(' ') ?? []
  const { securityContext } = podOf(documents(read('daemonset.yaml'))).containers[0]
  const { drop, add = [] } = securityContext?.capabilities ?? {}
  assert.deepEqual(drop, ['ALL'])
  assert.deepEqual(
    add.map((name) => `CAP_${name}`),
    bounding,
  )
  for (const name of add) assert.match(read('daemonset.yaml'), new RegExp(`^ +- ${name} # \\w+`, 'm'))
  assert.equal(securityContext?.privileged, false)
})

test('the image has the group that the example asks for', () => {
  const example = podOf(documents(read('examples/api.yaml')))
  const gid = /groupadd --system --gid (\d+) pyheap/.exec(read('Containerfile'))?.[1]
  assert.deepEqual(example.securityContext?.supplementalGroups, [Number(gid)])
})

test('the chart makes of its defaults what the manifests say', async (t) => {
  const text = await renderChart(chart)
  if (text === undefined) return t.skip('Go is not installed, which renders the chart')
  const made = documents(text)
  assert.deepEqual(mistakesOf(made), [])
  const ours = daemonSetOf(documents(read('daemonset.yaml')))
  assert.deepEqual(comparable(daemonSetOf(made)), comparable(ours))
  for (const kind of ['ClusterRole', 'ClusterRoleBinding', 'ServiceAccount'])
    assert.deepEqual(bare(made, kind), bare(documents(read('rbac.yaml')), kind))
  const config = made.find(({ kind }) => kind === 'ConfigMap') as Manifest & {
    readonly data: Readonly<Record<string, string>>
  }
  assert.deepEqual(parse(config.data['config.yaml'] ?? ''), parse(read('config.yaml')))
})

test('the chart takes what it says it takes', async (t) => {
  const text = await renderChart(chart, {
    optIn: true,
    imagePullSecrets: [{ name: 'pull' }],
    podAnnotations: { team: 'memory' },
    upload: { credentialsSecret: '' },
    serviceMonitor: {
      enabled: true,
      labels: { release: 'prometheus' },
      interval: '1m',
      proxy: { image: 'proxy:1', resources: {} },
    },
  })
  if (text === undefined) return t.skip('Go is not installed, which renders the chart')
  const made = documents(text)
  assert.deepEqual(mistakesOf(made), [])
  assert.match(text, /opt_in: true/)
  assert.doesNotMatch(text, /credentials/)
  const pod = podOf(made)
  assert.deepEqual(
    pod.containers.map(({ image }) => image),
    ['registry.example.com/pyheap-watchd:0.1.0', 'proxy:1'],
  )
  const kinds = new Set(made.map(({ kind }) => kind))
  assert.ok(kinds.has('ServiceMonitor') && kinds.has('Service'))
})

const podOf = (made: readonly Manifest[]): PodSpec => {
  const found = made.find(({ kind }) => kind === 'DaemonSet' || kind === 'Deployment')
  assert.ok(found)
  return (found as DaemonSet).spec.template.spec
}

/** Without what a chart names its own way: labels, the image, a checksum. */
function comparable({ spec }: DaemonSet): unknown {
  const pod = spec.template.spec
  const containers = pod.containers.map((one) => ({ ...one, image: '', imagePullPolicy: '' }))
  return { ...spec, selector: {}, template: { spec: { ...pod, containers } } }
}

const bare = (made: readonly Manifest[], kind: string): unknown => {
  const { metadata, ...rest } = made.find((one) => one.kind === kind) ?? assert.fail(`no ${kind}`)
  return { ...rest, name: metadata.name }
}

async function kustomize(t: TestContext, at: string): Promise<readonly Manifest[] | undefined> {
  const { stdout: version } = await execa('kubectl', ['version', '--client', '-o', 'json'], { reject: false })
  const minor = /"minor": "(\d+)/.exec(version ?? '')?.[1] ?? '0'
  // Debian 12's knows no components, and does not put the ConfigMap's name into a projected volume.
  if (Number(minor) < 21) {
    t.skip('optional: needs kubectl 1.21 or later')
    return undefined
  }
  const { stdout, stderr, exitCode } = await execa('kubectl', ['kustomize', at], { reject: false })
  assert.equal(exitCode, 0, stderr)
  return documents(stdout)
}
