import type { CaptureFailed, LimitUse } from '../model.ts'
import type { GateFacts } from './gate.ts'

/** Asks for the limits of the service's cgroups and how they are used now. */
export type ReadLimits = () => readonly LimitUse[]

/** A page table entry of 8 bytes for each page of 4 KiB, which the clone copies at the service's expense. */
const PAGE_TABLE_SHARE = 1 / 512
/** Kernel structures of the clone, and what the service writes to until the snapshot has moved out of its cgroup. */
const CLONE_BYTES = 4 * 2 ** 20
/** A service that had more than this left when the snapshot was taken is not pushed below it. */
const RESERVE_BYTES = 32 * 2 ** 20
const RESERVE_SHARE = 0.05

/** Why a snapshot must not be begun now: the clone alone could push the service over a limit. Pure. */
export function refuseHeadroom(facts: GateFacts, limits: readonly LimitUse[]): CaptureFailed | undefined {
  const tightest = leastRoom(limits)
  const needed = facts.rssBytes * PAGE_TABLE_SHARE + CLONE_BYTES
  if (tightest === undefined || roomOf(tightest) >= needed) return undefined
  return {
    kind: 'failed',
    reason: 'not-enough-memory',
    detail:
      `its cgroup ${tightest.where} has ${roomOf(tightest)} bytes left, ` +
      `copying its page tables may need ${Math.round(needed)}`,
    hint: 'lower the threshold, so that captures are taken earlier',
  }
}

/**
 * Why a snapshot must be ended for the service's sake: its cgroup has run short since, and the snapshot has at least
 * half of that on its conscience, by old pages that it keeps after the service has written to them. A service that
 * leaks to its death anyway gains nothing by losing the evidence.
 */
export function crowdsTarget(
  before: readonly LimitUse[],
  now: readonly LimitUse[],
  heldBytes: () => number,
): string | undefined {
  for (const use of now) {
    const begun = before.find(({ where }) => where === use.where)
    if (begun === undefined) continue
    const reserve = Math.max(RESERVE_BYTES, use.limitBytes * RESERVE_SHARE)
    const lost = roomOf(begun) - roomOf(use)
    if (roomOf(use) < Math.min(reserve, roomOf(begun) / 2) && heldBytes() >= lost / 2)
      return `the service has only ${roomOf(use)} bytes left in its cgroup ${use.where}, so the snapshot was ended`
  }
  return undefined
}

const roomOf = ({ limitBytes, usedBytes }: LimitUse): number => Math.max(0, limitBytes - usedBytes)

const leastRoom = (limits: readonly LimitUse[]): LimitUse | undefined =>
  limits.toSorted((a, b) => roomOf(a) - roomOf(b))[0]
