import type { Rule, Sample, WatchedProcess } from '../model.ts'
import { bytesBelow } from './next-looks.ts'
import { rulesFor } from './rules-for.ts'

const MIB = 2 ** 20

/** The kernel tells of growth by these steps at most, so that nothing is missed by who rests. */
const PROBED_BYTES = 64 * MIB
/** What a process can grow by while it rests for some seconds, and nobody tells of it. */
const UNPROBED_BYTES = 8192 * MIB

/** Whether a process is so far from every threshold that it need not be looked at in every sweep. */
export const mayRest = (
  sample: Sample,
  process: WatchedProcess,
  rules: readonly Rule[],
  isProbed: boolean,
): boolean => {
  const leastBytes = isProbed ? PROBED_BYTES : UNPROBED_BYTES
  return rulesFor(process, rules).every(({ when }) => {
    const bytes = bytesBelow(when, sample)
    return bytes === undefined || bytes > leastBytes
  })
}
