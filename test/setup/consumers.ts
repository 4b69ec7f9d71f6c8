import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel, type MessagePort } from 'node:worker_threads'

const home = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'pyheap-watchd', 'consumers')
const modules = join(home, 'node_modules')

/** Why there are no tools to try exports with, or false. */
export const withoutConsumers =
  existsSync(join(modules, '@memlab')) && existsSync(join(home, 'go'))
    ? false
    : ': optional: needs what npm run test:consumers fetches'

/** Go's `go tool pprof`. */
export function pprofProgram(): string {
  const lib = join(home, 'go/usr/lib')
  const version = readdirSync(lib).find((name) => name.startsWith('go-')) ?? ''
  return join(lib, version, 'pkg/tool/linux_amd64/pprof')
}

/** What the Memory panel shows of a class of objects. */
export type Aggregate = {
  readonly name: string
  readonly count: number
  readonly self: number
  readonly maxRet: number
}
export type DevToolsSnapshot = {
  readonly nodeCount: number
  readonly totalSize: number
  readonly aggregates: readonly Aggregate[]
}

type Snapshot = {
  readonly nodeCount: number
  readonly totalSize: number
  readonly aggregatesWithFilter: (
    filter: object,
  ) => Map<string, Aggregate> | Readonly<Record<string, Aggregate>>
}
type Loader = {
  readonly write: (text: string) => void
  readonly close: () => void
  readonly buildSnapshot: (port: MessagePort) => Promise<Snapshot>
}
type Worker = {
  readonly HeapSnapshotLoader: {
    readonly HeapSnapshotLoader: new (dispatcher: { readonly sendEvent: () => void }) => Loader
  }
  readonly HeapSnapshot: { readonly SecondaryInitManager: new (port: MessagePort) => object }
}

/** What DevTools expect of a browser, and Node 20 does not have. */
function withResolvers(): object {
  let resolve: unknown
  let reject: unknown
  const promise = new Promise((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

/** Loads a heapsnapshot with the code of Chrome's DevTools. */
export async function loadInDevTools(text: string, scratch: string): Promise<DevToolsSnapshot> {
  if (!('withResolvers' in Promise)) Object.assign(Promise, { withResolvers })
  const worker = await bundleWorker(scratch)
  const loader = new worker.HeapSnapshotLoader.HeapSnapshotLoader({ sendEvent: () => undefined })
  const { port1, port2 } = new MessageChannel()
  try {
    Reflect.construct(worker.HeapSnapshot.SecondaryInitManager, [port2])
    for (let at = 0; at < text.length; at += 2 ** 20) loader.write(text.slice(at, at + 2 ** 20))
    loader.close()
    const snapshot = await loader.buildSnapshot(port1)
    const found = snapshot.aggregatesWithFilter({})
    return {
      nodeCount: snapshot.nodeCount,
      totalSize: snapshot.totalSize,
      aggregates: [...(found instanceof Map ? found.values() : Object.values(found))],
    }
  } finally {
    port1.close()
    port2.close()
  }
}

/** Texts in other languages are made when DevTools are built, and not needed. */
const LOCALES =
  'export const LOCALES = [], BUNDLED_LOCALES = [], DEFAULT_LOCALE = "en-US", REMOTE_FETCH_PATTERN = "", LOCAL_FETCH_PATTERN = ""'

async function bundleWorker(scratch: string): Promise<Worker> {
  const { build } = (await import(join(modules, 'esbuild/lib/main.js'))) as {
    build: (options: object) => Promise<unknown>
  }
  const outfile = join(scratch, 'heap_snapshot_worker.mjs')
  const front = join(modules, 'chrome-devtools-frontend/front_end')
  const locales = {
    name: 'locales',
    setup: (hooks: {
      readonly onResolve: (filter: object, answer: () => object) => void
      readonly onLoad: (filter: object, answer: () => object) => void
    }) => {
      hooks.onResolve({ filter: /locales\.js$/ }, () => ({ path: 'locales', namespace: 'none' }))
      hooks.onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: LOCALES }))
    },
  }
  await build({
    entryPoints: [join(front, 'entrypoints/heap_snapshot_worker/heap_snapshot_worker.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    logLevel: 'error',
    plugins: [locales],
  })
  return (await import(outfile)) as Worker
}

/** The retained size of each of the largest objects of a class, as memlab reads a file. */
export async function retainedByMemlab(file: string, type: string): Promise<readonly number[]> {
  const { getFullHeapFromFile } = (await import(join(modules, '@memlab/heap-analysis/dist/index.js'))) as {
    getFullHeapFromFile: (file: string) => Promise<{
      readonly nodes: {
        readonly forEach: (
          look: (node: { readonly name: string; readonly retainedSize: number }) => void,
        ) => void
      }
    }>
  }
  const sizes: number[] = []
  const heap = await getFullHeapFromFile(file)
  heap.nodes.forEach((node) => {
    if (node.name === type) sizes.push(node.retainedSize)
  })
  return sizes.toSorted((a, b) => b - a)
}
