import type { SiteGrowth, Suspect } from '../model.ts'
import { shortName, sizeWords } from './words.ts'

/** The share of a suspect's growth that one site has to explain to be named with it. */
const CLEAR_SHARE = 0.5
/** More than this and the site allocates for others too. */
const MOST_SHARE = 1.5
/** Of what the first site has, from which on a second is as likely. */
const RIVAL_SHARE = 0.5

/**
 * The suspects with the line that allocated what the first of them holds, if that is clear: one site, and no other, has
 * about as much.
 */
export function nameSite(
  suspects: readonly Suspect[],
  sites: readonly SiteGrowth[] | undefined,
): readonly Suspect[] {
  const [suspect, ...others] = suspects
  if (suspect === undefined || sites === undefined) return suspects
  const evidence = describeSite(suspect, sites)
  if (evidence === undefined) return suspects
  return [{ ...suspect, evidence: [...suspect.evidence, evidence] }, ...others]
}

function describeSite(suspect: Suspect, [site, rival]: readonly SiteGrowth[]): string | undefined {
  const isPython = suspect.kind === 'owner' || suspect.kind === 'unreachable'
  const [line] = site?.frames ?? []
  if (!isPython || site === undefined || line === undefined) return undefined
  const [bytes, rivalBytes] = [weigh(site), rival === undefined ? 0 : weigh(rival)]
  const share = bytes / Math.max(1, suspect.grownBytes ?? suspect.bytes)
  const isClear = share >= CLEAR_SHARE && share <= MOST_SHARE && rivalBytes <= bytes * RIVAL_SHARE
  if (!isClear) return undefined
  const amount =
    site.grownBytes === undefined ? `${sizeWords(bytes)} since tracemalloc runs` : sizeWords(bytes)
  return `allocated at ${shortName(lastParts(line.file))}:${line.line} (${amount})`
}

const weigh = ({ bytes, grownBytes }: SiteGrowth): number => grownBytes ?? bytes

const lastParts = (file: string): string => file.split('/').slice(-2).join('/')
