import type { Census, Dump, Findings, Suspect, TypeGrowth } from '../model.ts'
import { nameSite } from './allocated-at.ts'
import { compareSites } from './compare-sites.ts'
import { compareTypes } from './compare.ts'
import { fingerprintOf } from './fingerprint.ts'
import { writeHeadline } from './headline.ts'
import { judge, type Judgement } from './judge.ts'
import { measureParts } from './memory-parts.ts'
import { suspectOutside } from './outside-suspects.ts'
import { measurePace } from './pace.ts'
import { reconcile } from './reconcile.ts'
import { settledBytes, suspectOwners } from './suspects.ts'

const maxSuspects = 5
const maxTypes = 100
const maxSites = 30
/** Of these, so many from the end, where the types are that shrank. */
const maxShrunk = 20

/** What a dump says: by growth against an earlier dump of the same process, else by size alone. */
export function analyse(taken: Dump, before?: Dump): Findings {
  const dump = withCountedCensus(taken)
  const baseline = before && withCountedCensus(before)
  const pace = measurePace(dump.outside.history)
  const judgement = settle(
    dump,
    baseline,
    judge(measureParts(dump), baseline && measureParts(baseline), pace),
  )
  const types = compareTypes(dump.census?.types ?? [], censusBefore(dump, baseline)?.types)
  const allocated = compareSites(dump.census?.allocations, baseline?.census?.allocations)
  const suspects = nameSite(chooseSuspects(dump, baseline, judgement), allocated)
  const headline = writeHeadline({ dump, baseline, judgement, pace, suspects, types })
  return {
    dump: dump.id,
    ...(baseline === undefined ? {} : { baseline: baseline.id }),
    headline,
    verdict: judgement.verdict,
    suspects,
    fingerprint: fingerprintOf(suspects),
    reconciliation: reconcile(dump),
    types: boundTypes(types),
    ...(allocated === undefined ? {} : { allocated: allocated.slice(0, maxSites) }),
  }
}

/** Of the growth; the rest is what the interpreter needs besides. */
const SETTLED = 0.7

/** Where caches that are full explain the growth, there is none to come. */
function settle(dump: Dump, baseline: Dump | undefined, judgement: Judgement): Judgement {
  const before = censusBefore(dump, baseline)
  if (judgement.verdict !== 'python-objects' || dump.census === undefined || before === undefined)
    return judgement
  const settled = settledBytes(dump.census, before)
  return settled < judgement.totalBytes * SETTLED
    ? judgement
    : { ...judgement, verdict: 'no-growth', settledBytes: settled }
}

const boundTypes = (types: readonly TypeGrowth[]): readonly TypeGrowth[] =>
  types.length <= maxTypes ? types : [...types.slice(0, maxTypes - maxShrunk), ...types.slice(-maxShrunk)]

function chooseSuspects(dump: Dump, baseline: Dump | undefined, judgement: Judgement): readonly Suspect[] {
  if (judgement.verdict === 'no-growth') return []
  const owners = ownersToBlame(dump, baseline, judgement)
  const outside = suspectOutside(dump, baseline, judgement)
  const isOutside = judgement.verdict !== 'python-objects'
  const first = (isOutside ? outside : owners).toSorted(byWeight)
  const second = (isOutside ? owners : outside).toSorted(byWeight)
  return [...first, ...second].slice(0, maxSuspects)
}

const byWeight = (a: Suspect, b: Suspect): number => (b.grownBytes ?? b.bytes) - (a.grownBytes ?? a.bytes)

function ownersToBlame(dump: Dump, baseline: Dump | undefined, judgement: Judgement): readonly Suspect[] {
  if (dump.census === undefined) return []
  const before = censusBefore(dump, baseline)
  // Where the matter is not Python's, the largest healthy cache must not be named in passing.
  const mayNameLargest = judgement.verdict === 'python-objects' || judgement.verdict === 'unknown'
  return before !== undefined || mayNameLargest ? suspectOwners(dump.census, before, judgement) : []
}

/** A capture of stacks alone has counted nothing, which is not to say that there is nothing. */
function withCountedCensus(dump: Dump): Dump {
  const { census: _uncounted, ...rest } = dump
  return dump.manifest.capture?.includes('census') === false ? rest : dump
}

// Half a census on either side would show growth that never was.
const censusBefore = ({ census }: Dump, baseline: Dump | undefined): Census | undefined =>
  census?.complete === true && baseline?.census?.complete === true ? baseline.census : undefined
