import type { Dump, Suspect, TypeGrowth } from '../model.ts'
import type { Judgement } from './judge.ts'
import type { Pace } from './pace.ts'
import { changeWords, durationWords, shareWords, sizeWords, typeWords } from './words.ts'

/** What the headline is made of. */
export type HeadlineFacts = {
  readonly dump: Dump
  readonly baseline: Dump | undefined
  readonly judgement: Judgement
  readonly pace: Pace | undefined
  readonly suspects: readonly Suspect[]
  readonly types: readonly TypeGrowth[]
}

/** What to say at three in the morning: how big, how fast, what it consists of, who holds it. */
export function writeHeadline(facts: HeadlineFacts): string {
  const { dump, suspects, judgement } = facts
  const first = suspects[0]
  const accused = first === undefined || judgement.verdict === 'no-growth' ? '' : ` ${first.title}.`
  return `${howBig(facts)}${howFast(facts.pace)}${whatItIs(facts)}${accused}${whatIsMissing(dump)}`
}

function howBig({ dump, baseline, judgement }: HeadlineFacts): string {
  const rss = `RSS ${sizeWords(dump.manifest.rss_bytes)}`
  if (baseline === undefined) return rss
  const gap = Date.parse(dump.manifest.started_at) - Date.parse(baseline.manifest.started_at)
  const swap =
    dump.manifest.rss_bytes - baseline.manifest.rss_bytes === judgement.totalBytes ? '' : ' with swap'
  const since = baseline.manifest.fired.kind === 'baseline' ? 'since baseline' : 'since the dump'
  const when = `${durationWords(gap)} ${gap < 0 ? 'later' : 'ago'}`
  return `${rss}, ${changeWords(judgement.totalBytes)}${swap} ${since} ${when}`
}

function howFast(pace: Pace | undefined): string {
  switch (pace?.kind) {
    case undefined:
      return ''
    case 'flat':
      return `, flat over the last ${durationWords(pace.overMs)}`
    case 'moving':
      return `, ${changeWords(pace.bytesPerMinute)}/min over the last ${durationWords(pace.overMs)}`
    default:
      return pace satisfies never
  }
}

function whatItIs(facts: HeadlineFacts): string {
  const { judgement, baseline } = facts
  const isCompared = baseline !== undefined
  switch (judgement.verdict) {
    case 'no-growth':
      return judgement.settledBytes === undefined
        ? ': no growth to explain.'
        : `: no leak. ${changeWords(judgement.settledBytes)} went into caches that are bounded and are full now, or nearly.`
    case 'python-objects':
      return `; Python objects ${isCompared ? explainGrowth(facts) : explainSize(facts)}`
    case 'unmet-objects':
      return `; small objects that nothing leads to (what was met: ${pythonPart(facts)}).`
    case 'native':
    case 'fragmentation':
    case 'mapping':
    case 'shared-memory':
      return `; not Python objects (${pythonPart(facts)}).`
    case 'unknown':
      return explainUnknown(facts)
    default:
      return judgement.verdict satisfies never
  }
}

function explainGrowth({ judgement, types, suspects }: HeadlineFacts): string {
  const share = Math.min(1, (judgement.pythonBytes ?? 0) / Math.max(1, judgement.totalBytes))
  const top = types.find(({ type, grownBytes }) => grownBytes > 0 && type !== '<other>')
  const grew =
    top === undefined ? '' : `, most of all ${typeWords(top.type)} (${changeWords(top.grownBytes)})`
  const nobody = suspects.length === 0 ? ' No owner by itself has a tenth of it.' : ''
  return `explain ${shareWords(share)} of the growth${grew}.${nobody}`
}

function explainSize({ judgement, dump, suspects }: HeadlineFacts): string {
  const share = Math.min(1, (judgement.pythonBytes ?? 0) / Math.max(1, dump.manifest.rss_bytes))
  const next = suspects.length === 0 ? 'No owner by itself has a tenth of them' : 'The largest'
  return `are ${shareWords(share)} of it. ${next}, with no earlier dump to compare with${suspects.length === 0 ? '.' : ':'}`
}

function explainUnknown({ judgement, baseline, suspects }: HeadlineFacts): string {
  if (suspects.length === 0) return '; what it consists of is not known.'
  if (baseline === undefined) {
    return '; no part of it stands out. The largest, with no earlier dump to compare with:'
  }
  return judgement.pythonBytes === undefined
    ? '; what grew is not known. The largest:'
    : '; it has no single cause. First of all:'
}

function pythonPart({ judgement, baseline, dump }: HeadlineFacts): string {
  const { pythonBytes, totalBytes } = judgement
  if (pythonBytes === undefined) return 'how much of it is theirs is not known'
  return baseline === undefined
    ? `they are ${sizeWords(pythonBytes)} of ${sizeWords(dump.manifest.rss_bytes)}`
    : `they grew ${changeWords(pythonBytes)} of ${changeWords(totalBytes)}`
}

function whatIsMissing({ census, manifest }: Dump): string {
  if (census === undefined) {
    const why =
      manifest.failure === undefined ? '' : ` (${manifest.failure.reason}: ${manifest.failure.detail})`
    return ` There is no census${why}.`
  }
  if (manifest.truncated) return ` This dump is truncated: ${manifest.truncated.detail}.`
  return census.complete ? '' : ' The census is incomplete.'
}
