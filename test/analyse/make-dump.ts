import type {
  Census,
  Dump,
  DumpManifest,
  GcState,
  MapRow,
  Owner,
  RssPoint,
  TypeRow,
} from '../../src/model.ts'

export const MiB = 2 ** 20

/** What a made dump differs in from an ordinary one. */
export type DumpFacts = {
  readonly rssBytes?: number
  readonly startedAt?: string
  readonly isBaseline?: boolean
  readonly status?: Readonly<Record<string, string>>
  readonly history?: readonly RssPoint[]
  readonly map?: readonly MapRow[]
  readonly manifest?: Partial<DumpManifest>
  /** Null: the dump has no census. */
  readonly census?: Partial<Census> | null
}

/** A dump made by hand: what is not given is that of a small healthy service. */
export function makeDump(facts: DumpFacts = {}): Dump {
  const manifest = makeManifest(facts)
  return {
    id: `api/${manifest.started_at}`,
    path: `/store/api/${manifest.started_at}`,
    manifest,
    outside: {
      takenAt: manifest.started_at,
      status: facts.status ?? {},
      limits: [],
      cgroup: { path: '/', counters: {} },
      pressure: {},
      history: facts.history ?? [],
    },
    census: facts.census === null ? undefined : makeCensus(facts.census),
    memoryMap: facts.map === undefined ? undefined : { rows: facts.map },
  }
}

const makeManifest = (facts: DumpFacts): DumpManifest => ({
  format: 1,
  target: 'api',
  rule: facts.isBaseline === true ? 'baseline' : 'rss-high',
  fired:
    facts.isBaseline === true
      ? { rule: 'baseline', kind: 'baseline' }
      : { rule: 'rss-high', kind: 'rss', value: 300 * MiB, threshold: 200 * MiB },
  also_fired: [],
  process: {
    boot_id: 'b0a7',
    pid: 4242,
    start_ticks: 1000,
    exe: '/usr/bin/python3',
    cmdline: ['python3', 'api.py'],
    user: 'www',
  },
  started_at: facts.startedAt ?? '2026-11-21T12:20:00.000Z',
  finished_at: '2026-11-21T12:20:04.000Z',
  rss_bytes: facts.rssBytes ?? 300 * MiB,
  outcome: facts.census === null ? 'outside-only' : 'captured',
  method: facts.census === null ? 'none' : 'pending-call',
  pause_ms: 31,
  phases: [{ name: 'census', ms: 900 }],
  attempts: 1,
  python_version: '3.11.7',
  files: [],
  ...facts.manifest,
})

export const gcOn: GcState = {
  enabled: true,
  counts: [1, 2, 3],
  thresholds: [700, 10, 10],
  frozen: 0,
  collected: 5,
  uncollectable: 0,
  garbage: 0,
}

export const makeCensus = (facts: Partial<Census> = {}): Census => ({
  format: 1,
  complete: true,
  python: {
    version: '3.11.7',
    implementation: 'cpython',
    executable: '/usr/bin/python3',
    argv: ['api.py'],
    moduleCount: 100,
    packages: [],
    extensions: ['_ssl', 'math'],
    threads: 4,
    tracemalloc: false,
  },
  gc: gcOn,
  objects: 1000,
  bytes: 80 * MiB,
  types: [],
  owners: [],
  largest: [],
  stacks: [],
  problems: [],
  ...facts,
})

/** An owner made by hand: a module's global that holds `bytes`. */
export const makeOwner = (given: Partial<Owner> & { readonly bytes: number }): Owner => ({
  kind: 'module',
  scope: 'shop.catalog',
  path: 'CATALOG',
  type: 'dict',
  entryTypes: [],
  objects: 10,
  types: [],
  notes: [],
  ...given,
})

/** A row of a type table. */
export const typeRow = (type: string, count: number, bytes: number): TypeRow => ({ type, count, bytes })

/** The lines of status that say how RSS is made up. */
export const rssStatus = (anon: number, file: number, shmem: number): Readonly<Record<string, string>> => ({
  RssAnon: `${anon / 1024} kB`,
  RssFile: `${file / 1024} kB`,
  RssShmem: `${shmem / 1024} kB`,
})
