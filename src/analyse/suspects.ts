import type { Census, Owner, Suspect } from '../model.ts'
import { compareOwners, type OwnerGrowth } from './compare.ts'
import type { Judgement } from './judge.ts'
import { grownTypeNames, isCyclic, isFull, readCacheNote, titleOwner } from './owner-title.ts'
import { numberOf, shareWords, shortName, sizeWords } from './words.ts'

/** The share of the growth, or of the heap, below which nobody is suspected; Eclipse MAT draws the line there too. */
export const suspectShare = 0.1

/** How much of the growth went into caches and queues that are bounded, and are full now. */
export const settledBytes = (census: Census, baseline: Census): number =>
  compareOwners(census.owners, baseline.owners)
    .filter(({ owner }) => isFull(owner))
    .reduce((sum, { grownBytes = 0 }) => sum + grownBytes, 0)

/** Owners of Python objects that are worth naming: by growth where there is a baseline, else the largest. */
export function suspectOwners(
  census: Census,
  baseline: Census | undefined,
  judgement: Judgement,
): readonly Suspect[] {
  const growths = compareOwners(census.owners, baseline?.owners)
  // What the interpreter holds for itself is no choice of the service's.
  const named = growths.filter(({ owner }) => owner.kind !== 'interpreter')
  return (baseline === undefined ? pickLargest(named, census) : pickGrown(named, judgement))
    .filter(({ share }) => share >= suspectShare)
    .map(({ growth, share }) => describe(growth, share, census))
}

type Picked = { readonly growth: OwnerGrowth; readonly share: number }

function pickGrown(growths: readonly OwnerGrowth[], judgement: Judgement): readonly Picked[] {
  const totalBytes = Math.max(1, judgement.totalBytes, judgement.pythonBytes ?? 0)
  // What is bounded and full has grown, and does no more.
  return growths
    .filter(({ owner }) => !isFull(owner))
    .map((growth) => ({ growth, share: (growth.grownBytes ?? 0) / totalBytes }))
}

// Size alone accuses every healthy cache, so only what comes near the largest is named beside it.
function pickLargest(growths: readonly OwnerGrowth[], census: Census): readonly Picked[] {
  const largestBytes = growths[0]?.owner.bytes ?? 0
  return growths
    .filter(({ owner }) => owner.bytes * 3 >= largestBytes)
    .map((growth) => ({ growth, share: growth.owner.bytes / Math.max(1, census.bytes) }))
}

function describe(growth: OwnerGrowth, share: number, census: Census): Suspect {
  const { owner, grownBytes } = growth
  return {
    kind: owner.kind === 'unreachable' ? 'unreachable' : 'owner',
    title: titleOwner(growth, census.gc),
    bytes: owner.bytes,
    ...(grownBytes === undefined ? {} : { grownBytes }),
    evidence: collectEvidence(growth, share, census),
    confidence: rateConfidence(growth, share, census),
    owner: { kind: owner.kind, scope: owner.scope, path: owner.path },
    type: (growth.types.length === 0 ? owner.types : growth.types)[0]?.type ?? owner.type,
  }
}

function rateConfidence(growth: OwnerGrowth, share: number, census: Census): Suspect['confidence'] {
  if (!census.complete || isFull(growth.owner)) return 'low'
  if (growth.grownBytes === undefined) return share >= 0.5 ? 'medium' : 'low'
  return share >= 0.5 ? 'high' : share >= 0.25 ? 'medium' : 'low'
}

function collectEvidence(growth: OwnerGrowth, share: number, census: Census): readonly string[] {
  const { owner, grownBytes, grownEntries, types } = growth
  const lines: string[] = []
  if (grownBytes === undefined) {
    lines.push(`${shareWords(share)} of all Python objects; size alone does not say that it grows`)
  } else {
    const entries = grownEntries === undefined || grownEntries <= 0 ? '' : `, ${more(grownEntries)}`
    lines.push(`${shareWords(share)} of the growth${entries}`)
    if (types.length > 0) lines.push(`in it grew: ${grownTypeNames(types, grownBytes)}`)
  }
  lines.push(...explainKind(owner, census))
  lines.push(...owner.notes.slice(0, 3).map((note) => shortName(note, 200)))
  return lines
}

const more = (entries: number): string => numberOf(entries, 'more entry', 'more entries')

function explainKind(owner: Owner, census: Census): readonly string[] {
  if (isFull(owner)) return ['it is bounded and full, or nearly: it will hardly grow any more']
  if (readCacheNote(owner)?.hits === 0) return ['the cache was never hit']
  if (owner.kind === 'frame') return ['a local variable lives until its function returns']
  if (!isCyclic(owner) || census.gc.enabled) return []
  return [`gc.collect() would free up to ${sizeWords(owner.bytes)}; it was not called`]
}
