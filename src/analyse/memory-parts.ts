import { ANONYMOUS_KINDS, type Allocations, type Census, type Dump, type MapKind } from '../model.ts'

/** What a process's memory consists of, as far as a dump tells. */
export type MemoryParts = {
  readonly rssBytes: number
  readonly swapBytes: number
  readonly anonBytes: number | undefined
  readonly fileBytes: number | undefined
  /** The part of it that is not the code of programs and libraries. */
  readonly dataFileBytes: number | undefined
  readonly shmemBytes: number | undefined
  /** Undefined unless the census is complete: half a census explains nothing. */
  readonly pythonBytes: number | undefined
  /** What tracemalloc needs to remember allocations: neither Python objects nor anybody's leak. */
  readonly tracingBytes: number
  readonly mallocFreeBytes: number | undefined
  /** Free blocks among the small objects. */
  readonly poolFreeBytes: number | undefined
  /** Blocks in use among the small objects. */
  readonly poolUsedBytes: number | undefined
  /** What malloc has handed out, Python's own large objects included. */
  readonly mallocUsedBytes: number | undefined
}

/**
 * Measures the parts. The kernel's figures for the service itself go first: a clone starts without the pages of
 * shared and file mappings, so a map that is the snapshot's own has too few of them.
 */
export function measureParts({ manifest, outside, census, memoryMap }: Dump): MemoryParts {
  const ofKinds = (...kinds: MapKind[]): number | undefined =>
    memoryMap?.rows
      .filter(({ kind }) => kinds.includes(kind))
      .reduce((sum, { rssBytes }) => sum + rssBytes, 0)
  const { status } = outside
  const file = parseKilobytes(status['RssFile'])
  const code = (parseKilobytes(status['VmExe']) ?? 0) + (parseKilobytes(status['VmLib']) ?? 0)
  return {
    rssBytes: manifest.rss_bytes,
    swapBytes: parseKilobytes(status['VmSwap']) ?? 0,
    anonBytes: parseKilobytes(status['RssAnon']) ?? ofKinds(...ANONYMOUS_KINDS),
    fileBytes: file ?? ofKinds('file', 'deleted-file', 'executable'),
    dataFileBytes: file === undefined ? ofKinds('file', 'deleted-file') : Math.max(0, file - code),
    shmemBytes: parseKilobytes(status['RssShmem']) ?? ofKinds('shared-memory'),
    pythonBytes: census?.complete === true ? census.bytes : undefined,
    tracingBytes: measureTracing(census?.allocations),
    ...measureAllocators(census),
  }
}

const measureAllocators = (
  census: Census | undefined,
): Pick<MemoryParts, 'mallocFreeBytes' | 'mallocUsedBytes' | 'poolFreeBytes' | 'poolUsedBytes'> => ({
  mallocFreeBytes: census?.malloc?.freeBytes,
  mallocUsedBytes: census?.malloc && census.malloc.inUseBytes + census.malloc.mmappedBytes,
  poolUsedBytes: census?.pools?.usedBytes,
  poolFreeBytes: census?.pools && Math.max(0, census.pools.bytes - census.pools.usedBytes),
})

// tracemalloc does not count what malloc rounds up: two pieces for each trace, 32 bytes together.
const measureTracing = (allocations: Allocations | undefined): number =>
  allocations === undefined ? 0 : allocations.overheadBytes + 32 * allocations.count

/** The bytes of a line of /proc/PID/status like `RssAnon: 1234 kB`. */
export function parseKilobytes(text: string | undefined): number | undefined {
  const digits = /^\s*(\d{1,12}) kB\s*$/.exec(text ?? '')?.[1]
  return digits === undefined ? undefined : Number(digits) * 1024
}
