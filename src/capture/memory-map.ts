import { readFileSync } from 'node:fs'
import { ANONYMOUS_KINDS, type MapRow, type MemoryMap } from '../model.ts'
import { parseSmaps } from '../proc/smaps.ts'
import type { GateFacts } from './gate.ts'
import type { Service } from './service.ts'

/** Reading smaps holds the service's memory map for some ms per GB. */
const WORTH_A_LOOK_SHARE = 0.15

/** fork does not copy the page tables of files and shared memory: where they weigh, the service's own are read. */
export function completeMap(map: MemoryMap, facts: GateFacts, { procRoot, id }: Service): MemoryMap {
  if (facts.fileBytes + facts.shmemBytes < facts.rssBytes * WORTH_A_LOOK_SHARE) return map
  const ours = map.rows.filter(isAnonymous)
  try {
    const all = parseSmaps(readFileSync(`${procRoot}/${id.pid}/smaps`, 'latin1'))
    const others = all.filter((row) => !isAnonymous(row))
    return { rows: [...ours, ...others].toSorted((a, b) => b.rssBytes - a.rssBytes) }
  } catch {
    return map // the service has ended since; what its snapshot knew has to do
  }
}

const isAnonymous = ({ kind }: MapRow): boolean => ANONYMOUS_KINDS.includes(kind)
