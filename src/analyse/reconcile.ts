import type { Dump, MapKind, Reconciliation } from '../model.ts'
import { measureParts } from './memory-parts.ts'
import { sizeWords } from './words.ts'

/** Splits RSS into what it consists of. Each part takes what is left at most, so that the rows add up to it exactly. */
export function reconcile(dump: Dump): Reconciliation {
  const { rssBytes, anonBytes, pythonBytes, mallocFreeBytes, poolFreeBytes, shmemBytes, tracingBytes } =
    measureParts(dump)
  const rows: { what: string; bytes: number }[] = []
  let leftBytes = rssBytes
  const take = (what: string, bytes: number): number => {
    const taken = Math.max(0, Math.min(bytes, leftBytes))
    leftBytes -= taken
    if (taken > 0) rows.push({ what, bytes: taken })
    return taken
  }

  take('shared memory', shmemBytes ?? 0)
  take('memory of devices, as of a GPU', sumKinds(dump, ['device']))
  for (const { what, bytes } of splitFiles(dump)) take(what, bytes)
  let anonLeftBytes = Math.min(anonBytes ?? leftBytes, leftBytes)
  const takeAnon = (what: string, bytes: number): void => {
    anonLeftBytes -= take(what, Math.min(bytes, anonLeftBytes))
  }
  if (pythonBytes !== undefined) {
    const isAllResident = pythonBytes <= anonLeftBytes
    takeAnon(
      isAllResident ? 'Python objects' : `Python objects (of ${sizeWords(pythonBytes)}, not all resident)`,
      pythonBytes,
    )
  }
  takeAnon('what tracemalloc remembers', tracingBytes)
  takeAnon('free blocks between small objects', poolFreeBytes ?? 0)
  takeAnon('free memory that malloc keeps', mallocFreeBytes ?? 0)
  takeAnon('stacks of threads', sumKinds(dump, ['stack', 'thread-stack']))
  takeAnon(
    pythonBytes === undefined
      ? 'anonymous memory, not looked into'
      : 'other anonymous memory: native code, allocator overhead',
    anonLeftBytes,
  )
  take('not accounted for', leftBytes)
  return { rssBytes, rows: rows.toSorted((a, b) => b.bytes - a.bytes) }
}

// The map can tell programs from data only when it has nearly all of the pages that the kernel counts for the service.
function splitFiles(dump: Dump): readonly { readonly what: string; readonly bytes: number }[] {
  const { fileBytes = 0 } = measureParts(dump)
  const programs = sumKinds(dump, ['executable'])
  const mapped = programs + sumKinds(dump, ['file', 'deleted-file'])
  if (mapped < fileBytes * 0.9) return [{ what: 'mapped files', bytes: fileBytes }]
  return [
    { what: 'mapped files: programs and libraries', bytes: programs },
    { what: 'mapped files: data', bytes: mapped - programs },
  ]
}

const sumKinds = ({ memoryMap }: Dump, kinds: readonly MapKind[]): number =>
  (memoryMap?.rows ?? [])
    .filter(({ kind }) => kinds.includes(kind))
    .reduce((sum, { rssBytes }) => sum + rssBytes, 0)
