import type { Findings } from '../model.ts'
import type { MemoryParts } from './memory-parts.ts'
import type { Pace } from './pace.ts'

/** What the memory, or its growth where there is a baseline, consists of. */
export type Judgement = {
  readonly verdict: Findings['verdict']
  /** What there is to explain: the growth of RSS and swap, or RSS itself without a baseline. */
  readonly totalBytes: number
  readonly pythonBytes: number | undefined
  readonly fileBytes: number
  readonly shmemBytes: number
  /** Anonymous memory that neither Python objects nor tracemalloc explain. */
  readonly otherAnonBytes: number | undefined
  readonly mallocFreeBytes: number | undefined
  readonly poolFreeBytes: number | undefined
  /** Small blocks in use beyond all Python objects that were met, so a lower bound. */
  readonly unmetBytes: number | undefined
  readonly mallocUsedBytes: number | undefined
  /** What went into caches that are full now, where that explains the growth. */
  readonly settledBytes?: number
}

/** Decides which part of the memory is the matter. */
export function judge(
  now: MemoryParts,
  baseline: MemoryParts | undefined,
  pace: Pace | undefined,
): Judgement {
  const change = (part: keyof MemoryParts): number | undefined => {
    const value = now[part]
    const before = baseline === undefined ? 0 : baseline[part]
    return value === undefined || before === undefined ? undefined : value - before
  }
  const pythonBytes = change('pythonBytes')
  const anonBytes = change('anonBytes')
  const parts = {
    totalBytes: (change('rssBytes') ?? 0) + (baseline === undefined ? 0 : (change('swapBytes') ?? 0)),
    pythonBytes,
    // Code is large in any process that loads much of it, and does not grow.
    fileBytes: change(baseline === undefined ? 'dataFileBytes' : 'fileBytes') ?? 0,
    shmemBytes: change('shmemBytes') ?? 0,
    otherAnonBytes:
      pythonBytes === undefined || anonBytes === undefined
        ? undefined
        : anonBytes - pythonBytes - (change('tracingBytes') ?? 0),
    mallocFreeBytes: change('mallocFreeBytes'),
    poolFreeBytes: change('poolFreeBytes'),
    unmetBytes: subtract(change('poolUsedBytes'), pythonBytes, baseline === undefined ? payloadBytes : 0),
    mallocUsedBytes: change('mallocUsedBytes'),
  }
  const isQuiet = baseline === undefined ? isSteady(pace) : parts.totalBytes < noiseBytes(baseline)
  return { ...parts, verdict: isQuiet ? 'no-growth' : chooseVerdict(parts) }
}

/** What the census takes in the pools of the snapshot itself, at most; between two dumps it cancels out. */
const payloadBytes = 4 * 2 ** 20

const subtract = (a: number | undefined, b: number | undefined, more: number): number | undefined =>
  a === undefined || b === undefined ? undefined : a - b - more

// Less than this comes and goes in a healthy service.
const noiseBytes = ({ rssBytes }: MemoryParts): number => Math.max(8 * 2 ** 20, rssBytes * 0.05)

// Without a baseline, only a history that is long enough can say that nothing grows.
const isSteady = (pace: Pace | undefined): boolean => pace?.kind === 'flat' && pace.overMs >= 300_000

function chooseVerdict(parts: Omit<Judgement, 'verdict'>): Findings['verdict'] {
  const { pythonBytes = 0, otherAnonBytes = 0, fileBytes, shmemBytes } = parts
  const largest = Math.max(pythonBytes, otherAnonBytes, fileBytes, shmemBytes)
  // An honest answer needs a part that is at least a good share of the whole.
  if (largest < parts.totalBytes * 0.3) return 'unknown'
  if (largest === pythonBytes) return 'python-objects'
  if (largest === shmemBytes) return 'shared-memory'
  if (largest === fileBytes) return 'mapping'
  return judgeAnonymous(parts)
}

function judgeAnonymous({
  otherAnonBytes = 0,
  mallocFreeBytes,
  mallocUsedBytes,
  poolFreeBytes = 0,
  unmetBytes = 0,
}: Omit<Judgement, 'verdict'>): Findings['verdict'] {
  if (unmetBytes >= otherAnonBytes / 2) return 'unmet-objects'
  if ((mallocFreeBytes ?? 0) + poolFreeBytes >= otherAnonBytes / 2) return 'fragmentation'
  if (mallocFreeBytes === undefined || mallocUsedBytes === undefined) return 'native'
  return mallocUsedBytes >= otherAnonBytes / 2 ? 'native' : 'unknown'
}
