import type { Dump, Findings } from '../../src/model.ts'

/** A dump with a little of everything. */
export const dump: Dump = {
  id: 'api/20261121T122000Z-4242-rss-high',
  path: '/store/api/20261121T122000Z-4242-rss-high',
  manifest: {
    format: 1,
    target: 'api',
    rule: 'rss-high',
    fired: {
      rule: 'rss-high',
      kind: 'rss',
      value: 1.42 * 2 ** 30,
      threshold: 2 ** 30,
      limit: {
        source: 'cgroup',
        limitBytes: 2 * 2 ** 30,
        usedBytes: 1.5 * 2 ** 30,
        where: '/system.slice/api',
      },
    },
    also_fired: ['slow-leak'],
    process: {
      boot_id: 'b0a7',
      pid: 4242,
      start_ticks: 1000,
      exe: '/usr/bin/python3',
      cmdline: ['python3', 'api.py'],
      user: 'www',
      unit: 'api-1.service',
    },
    started_at: '2026-11-21T12:20:00.123Z',
    finished_at: '2026-11-21T12:20:04.000Z',
    rss_bytes: 1.42 * 2 ** 30,
    outcome: 'captured',
    method: 'pending-call',
    pause_ms: 31.4,
    phases: [
      { name: 'arm', ms: 120 },
      { name: 'census', ms: 4200 },
    ],
    attempts: 1,
    python_version: '3.11.7',
    files: [],
  },
  outside: {
    takenAt: '2026-11-21T12:20:00.123Z',
    status: {},
    limits: [],
    cgroup: { path: '/system.slice/api', counters: {} },
    pressure: {},
    history: [],
  },
  census: {
    format: 1,
    complete: true,
    python: {
      version: '3.11.7',
      implementation: 'cpython',
      executable: '/usr/bin/python3',
      argv: ['api.py'],
      moduleCount: 100,
      packages: [],
      extensions: [],
      threads: 4,
      tracemalloc: false,
    },
    gc: {
      enabled: false,
      counts: [1, 2, 3],
      thresholds: [700, 10, 10],
      frozen: 0,
      collected: 5,
      uncollectable: 0,
      garbage: 0,
    },
    objects: 2_104_882,
    bytes: 2 ** 30,
    types: [],
    owners: [
      {
        kind: 'module',
        scope: 'shop.broker',
        path: 'POOL._dirty',
        type: 'set',
        entries: 1200,
        entryTypes: [],
        objects: 2400,
        bytes: 768 * 2 ** 20,
        types: [],
        notes: [],
      },
    ],
    largest: [{ type: 'bytearray', bytes: 150 * 2 ** 20 }],
    stacks: [
      {
        name: 'MainThread',
        ident: 1,
        isMain: true,
        frames: [{ file: '/srv/api.py', line: 41, function: 'handle' }],
      },
    ],
    problems: [],
  },
}

/** What is said about it. */
export const findings: Findings = {
  dump: dump.id,
  baseline: 'api/20261121T120000Z-4242-baseline',
  headline:
    'RSS 1.42 GiB, +1.31 GiB since baseline 20 min ago; Python objects explain 96 % of the growth. ' +
    'module shop.broker: POOL._dirty (set, 1,200 entries of Connection) keeps 768 MiB.',
  verdict: 'python-objects',
  suspects: [
    {
      kind: 'owner',
      title: 'module shop.broker: POOL._dirty (set, 1,200 entries of Connection) keeps 768 MiB',
      bytes: 768 * 2 ** 20,
      grownBytes: 760 * 2 ** 20,
      evidence: ['58 % of the growth'],
      confidence: 'high',
    },
  ],
  reconciliation: {
    rssBytes: 1.42 * 2 ** 30,
    rows: [
      { what: 'Python objects', bytes: 2 ** 30 },
      { what: 'free memory that malloc keeps', bytes: 0.42 * 2 ** 30 },
    ],
  },
  types: [
    { type: 'array.array', count: 1200, bytes: 760 * 2 ** 20, grownCount: 1100, grownBytes: 700 * 2 ** 20 },
    { type: 'str', count: 9000, bytes: 2 ** 20, grownCount: -10, grownBytes: -1024 },
  ],
}
