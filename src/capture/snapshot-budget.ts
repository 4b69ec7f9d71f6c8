import { type HostMemoryLimits, hostIsShort } from './host-memory.ts'
import { type SnapshotCgroup, chargedBytes } from './snapshot-cgroup.ts'
import { type ReadLimits, crowdsTarget } from './target-headroom.ts'
import { readOrNothing } from './read-or-nothing.ts'

/** What a snapshot may copy and allocate: bytes, or a share of the service's RSS. */
export type MaxCopy =
  { readonly kind: 'size'; readonly bytes: number } | { readonly kind: 'share'; readonly share: number }

export type BudgetSettings = HostMemoryLimits & { readonly maxCopy: MaxCopy; readonly readLimits: ReadLimits }

export type Budgeted = { readonly pid: number; readonly cgroup: SnapshotCgroup }

/** The payload itself takes as much, however small the service is. */
const LEAST_COPY_BYTES = 256 * 2 ** 20
const LOOK_EVERY_MS = 50

/**
 * Answers, as often as it is asked, why the snapshot must be ended now: it has taken more than it may, or the host or
 * the service has run short.
 */
export function watchBudget(settings: BudgetSettings, snapshot: Budgeted): () => string | undefined {
  const { procRoot, readLimits } = settings
  const limitsBefore = readLimits()
  // It has just been cloned and is as large as the service.
  const residentBefore = residentBytes(procRoot, snapshot.pid)
  const most = mostBytes(settings.maxCopy, residentBefore)
  const taken = (): number =>
    // Without a cgroup only what it allocates is known, and not what it copies.
    chargedBytes(snapshot.cgroup) ?? residentBytes(procRoot, snapshot.pid) - residentBefore
  const held = (): number =>
    Math.max(0, privateBytes(procRoot, snapshot.pid) - (chargedBytes(snapshot.cgroup) ?? 0))
  let lookedMs = Number.NEGATIVE_INFINITY
  return () => {
    const now = performance.now()
    if (now - lookedMs < LOOK_EVERY_MS) return undefined
    lookedMs = now
    if (taken() > most) return `the snapshot copied and allocated more than capture.max_copy (${most} bytes)`
    return hostIsShort(settings) ?? crowdsTarget(limitsBefore, readLimits(), held)
  }
}

const mostBytes = (maxCopy: MaxCopy, rssBytes: number): number =>
  maxCopy.kind === 'size' ? maxCopy.bytes : Math.max(Math.round(rssBytes * maxCopy.share), LEAST_COPY_BYTES)

const residentBytes = (procRoot: string, pid: number): number =>
  Number(readOrNothing(`${procRoot}/${pid}/statm`).split(' ')[1] ?? 0) * 4096

/** Pages that it shares with nobody: those it has copied itself, and those that the service has left to it. */
const privateBytes = (procRoot: string, pid: number): number =>
  [...readOrNothing(`${procRoot}/${pid}/smaps_rollup`).matchAll(/^Private_(?:Clean|Dirty): +(\d+)/gm)]
    .map(([, kib]) => Number(kib) * 1024)
    .reduce((sum, bytes) => sum + bytes, 0)
