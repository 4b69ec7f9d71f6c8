/** Every file that a dump may hold, and the most that is ever read of it. */
export const dumpFileLimits = {
  'dump.json': 1 * 2 ** 20,
  'outside.json': 4 * 2 ** 20,
  'census.json': 64 * 2 ** 20,
  'memory-map.json': 16 * 2 ** 20,
  'collections.json': 4 * 2 ** 20,
  'findings.json': 4 * 2 ** 20,
  'summary.txt': 1 * 2 ** 20,
  'report.html': 4 * 2 ** 20,
  /** Written later, when the process has ended, and so not in the manifest. */
  'ending.json': 64 * 2 ** 10,
  /** Compressed; read piece by piece. */
  'graph.gz': Number.MAX_SAFE_INTEGER,
  /** Only ever hashed. */
  core: Number.MAX_SAFE_INTEGER,
} as const

/** What a capture writes into a dump by itself, and most readers can do without. */
export const LARGE_FILES = ['graph.gz', 'core'] as const satisfies readonly (keyof typeof dumpFileLimits)[]
export type LargeFileName = (typeof LARGE_FILES)[number]

export type DumpFileName = keyof typeof dumpFileLimits

/** What is written before `dump.json`, which describes it. */
export type ContentFileName = Exclude<DumpFileName, 'dump.json' | 'ending.json'>
