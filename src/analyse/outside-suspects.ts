import type { Dump, Suspect } from '../model.ts'
import { compareTypes } from './compare.ts'
import type { Judgement } from './judge.ts'
import { suspectFiles, suspectSharedMemory } from './suspect-mappings.ts'
import { suspectShare } from './suspects.ts'
import { parseKilobytes } from './memory-parts.ts'
import { changeWords, countWords, numberOf, shareWords, shortName, sizeWords, typeWords } from './words.ts'

/** What is large, or has grown, and is not Python objects. */
export function suspectOutside(
  dump: Dump,
  baseline: Dump | undefined,
  judgement: Judgement,
): readonly Suspect[] {
  const { verdict, totalBytes, fileBytes, shmemBytes, otherAnonBytes = 0 } = judgement
  const isWorth = (bytes: number, share: number): boolean =>
    baseline !== undefined && bytes >= totalBytes * share && bytes > 0
  const suspects: Suspect[] = []
  if (verdict === 'mapping' || isWorth(fileBytes, suspectShare)) {
    suspects.push(suspectFiles(dump, baseline, judgement))
  }
  if (verdict === 'shared-memory' || isWorth(shmemBytes, suspectShare)) {
    suspects.push(suspectSharedMemory(dump, baseline, judgement))
  }
  if (verdict === 'unmet-objects') suspects.push(suspectUnmet(dump, baseline, judgement))
  const isAnonymous = verdict === 'native' || verdict === 'fragmentation'
  // Every Python heap brings some overhead of its allocators along.
  if (isAnonymous || (verdict !== 'unmet-objects' && isWorth(otherAnonBytes, 0.3)))
    suspects.push(suspectAnonymous(dump, baseline, judgement))
  return suspects
}

/** Objects that the collector does not track, and that nothing leads to, leave no trace but their blocks. */
function suspectUnmet(dump: Dump, baseline: Dump | undefined, { unmetBytes = 0 }: Judgement): Suspect {
  const { count, usedBytes } = dump.census?.pools ?? { count: 0, usedBytes: 0 }
  return {
    kind: 'unmet',
    title:
      `${sizeWords(unmetBytes)} of small objects in use in pymalloc's arenas that no object leads to: ` +
      'interned strings, or references that native code forgot to drop',
    bytes: unmetBytes,
    ...(baseline === undefined ? {} : { grownBytes: unmetBytes }),
    evidence: [
      `${sizeWords(usedBytes)} are in use in ${countWords(count)} pools, more than all objects that were met`,
      'neither the collector nor any object knows of them: such are str, bytes and numbers whose count never falls to 0',
      'from 3.12 on a string that was interned (sys.intern, keys of JSON objects) may stay until the end',
      ...extensionFacts(dump),
    ],
    confidence: baseline === undefined ? 'low' : 'medium',
  }
}

function suspectAnonymous(dump: Dump, baseline: Dump | undefined, judgement: Judgement): Suspect {
  const { otherAnonBytes = 0, mallocFreeBytes = 0, mallocUsedBytes = 0, poolFreeBytes = 0 } = judgement
  if (mallocFreeBytes + poolFreeBytes >= otherAnonBytes / 2)
    return mallocFreeBytes >= poolFreeBytes
      ? suspectFragmentation(dump, baseline, judgement)
      : suspectPools(dump, baseline, judgement)
  if (dump.census?.malloc === undefined || mallocUsedBytes >= otherAnonBytes / 2) {
    return suspectNative(dump, baseline, judgement)
  }
  return {
    kind: 'malloc',
    title: `${sizeWords(otherAnonBytes)} of anonymous memory that neither Python objects nor malloc account for`,
    bytes: otherAnonBytes,
    ...(baseline === undefined ? {} : { grownBytes: otherAnonBytes }),
    evidence: [
      ...mallocFacts(judgement, baseline),
      'arenas of small objects that are nearly empty, or memory that native code maps by itself',
    ],
    confidence: 'low',
  }
}

function suspectNative(dump: Dump, baseline: Dump | undefined, judgement: Judgement): Suspect {
  const { otherAnonBytes = 0, pythonBytes = 0 } = judgement
  const isKnown = dump.census?.malloc !== undefined
  const holder = isKnown ? 'malloc has handed it out' : 'this C library does not say what malloc holds'
  const python = baseline === undefined ? sizeWords(pythonBytes) : changeWords(pythonBytes)
  return {
    kind: 'malloc',
    title: `native memory: ${sizeWords(otherAnonBytes)} outside Python objects (these: ${python}); ${holder}`,
    bytes: otherAnonBytes,
    ...(baseline === undefined ? {} : { grownBytes: otherAnonBytes }),
    evidence: [
      ...mallocFacts(judgement, baseline),
      ...pinnedFacts(dump),
      ...extensionFacts(dump),
      ...wrapperFacts(dump, baseline),
    ],
    confidence: baseline === undefined || !isKnown ? 'low' : 'high',
  }
}

function suspectFragmentation(dump: Dump, baseline: Dump | undefined, judgement: Judgement): Suspect {
  const { mallocFreeBytes = 0 } = judgement
  const threads = dump.census?.python.threads ?? 0
  return {
    kind: 'fragmentation',
    title: `fragmentation: malloc keeps ${sizeWords(mallocFreeBytes)} of freed memory in its arenas and has not returned it`,
    bytes: mallocFreeBytes,
    ...(baseline === undefined ? {} : { grownBytes: mallocFreeBytes }),
    evidence: [
      ...mallocFacts(judgement, baseline),
      ...arenaFacts(dump),
      'no object holds it: malloc_trim(0) would return most of it',
      `MALLOC_ARENA_MAX=2 or fewer threads (now ${countWords(threads)}) keep it small`,
    ],
    confidence: baseline === undefined ? 'medium' : 'high',
  }
}

/** Small objects come from pools, whose arenas are given back as a whole or not at all. */
function suspectPools(
  { census }: Dump,
  baseline: Dump | undefined,
  { poolFreeBytes = 0 }: Judgement,
): Suspect {
  const { bytes, usedBytes } = census?.pools ?? { bytes: 0, usedBytes: 0 }
  return {
    kind: 'fragmentation',
    title:
      `fragmentation: ${sizeWords(poolFreeBytes)} of freed small objects in pymalloc's arenas, ` +
      'which the few that still live there keep',
    bytes: poolFreeBytes,
    ...(baseline === undefined ? {} : { grownBytes: poolFreeBytes }),
    evidence: [
      `${sizeWords(usedBytes)} of ${sizeWords(bytes)} in the arenas are in use, ${shareWords(usedBytes / Math.max(1, bytes))}`,
      'no object holds it: an arena goes back to the system when its last object is freed, and new objects fill it first',
      'what is made during a burst and kept after it decides: make it before, or copy it when the burst is over',
    ],
    confidence: baseline === undefined ? 'medium' : 'high',
  }
}

function mallocFacts(judgement: Judgement, baseline: Dump | undefined): readonly string[] {
  const { mallocUsedBytes, mallocFreeBytes } = judgement
  if (mallocUsedBytes === undefined || mallocFreeBytes === undefined) return []
  const words = baseline === undefined ? sizeWords : changeWords
  return [`malloc: in use ${words(mallocUsedBytes)}, free ${words(mallocFreeBytes)}`]
}

/** glibc gives threads arenas of their own, of which each keeps what was freed in it. */
function arenaFacts({ memoryMap }: Dump): readonly string[] {
  const arenas = (memoryMap?.rows ?? []).filter(({ kind }) => kind === 'malloc-arena')
  const count = arenas.reduce((sum, { mappings }) => sum + mappings, 0)
  const bytes = arenas.reduce((sum, { rssBytes }) => sum + rssBytes, 0)
  return count === 0
    ? []
    : [`${numberOf(count, 'arena', 'arenas')} of threads have ${sizeWords(bytes)} of memory`]
}

const LEAST_PINNED_BYTES = 16 * 2 ** 20

/** Memory that drivers pin, as CUDA does for copies to a GPU, counts as the process's and is no Python object. */
function pinnedFacts({ outside: { status } }: Dump): readonly string[] {
  const bytes = parseKilobytes(status['VmPin']) ?? 0
  return bytes < LEAST_PINNED_BYTES
    ? []
    : [`${sizeWords(bytes)} are pinned for devices, as for a GPU (VmPin)`]
}

const standardExtensions = new Set(
  (
    'array audioop binascii cmath crypt fcntl grp math mmap nis ossaudiodev parser pyexpat readline resource ' +
    'select spwd syslog termios unicodedata xxlimited xxlimited_35 xxsubtype zlib'
  ).split(' '),
)
// Private names of the standard library, apart from the two that reach any other library.
const isForeign = (name: string): boolean =>
  /^_(ctypes|cffi_backend)$/.test(name) || !(/^_[^.]*$/.test(name) || standardExtensions.has(name))

function extensionFacts({ census }: Dump): readonly string[] {
  const foreign = (census?.python.extensions ?? []).filter(isForeign)
  if (foreign.length === 0) return []
  const names = foreign.slice(0, 8).map((name) => shortName(name, 40))
  const others = foreign.length > names.length ? ` and ${foreign.length - names.length} others` : ''
  return [`native code is loaded by ${names.join(', ')}${others}`]
}

// Native memory often hangs on small wrapper objects, whose number grows in step.
function wrapperFacts({ census }: Dump, baseline: Dump | undefined): readonly string[] {
  if (census === undefined || baseline?.census === undefined) return []
  const grown = compareTypes(census.types, baseline.census.types)
    .filter(({ type, grownCount }) => type.includes('.') && grownCount >= 100)
    .toSorted((a, b) => b.grownCount - a.grownCount)
    .slice(0, 3)
  if (grown.length === 0) return []
  const names = grown.map(({ type, grownCount }) => `+${countWords(grownCount)} ${typeWords(type)}`)
  return [`objects that came along: ${names.join(', ')}`]
}
