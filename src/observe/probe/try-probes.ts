import type { ProbeMeans } from '../../model.ts'
import type { ProbeSourceOptions } from './probe-source.ts'

/** What came of trying to notice growth. */
export type Tried =
  | { readonly kind: 'attached'; readonly means: ProbeMeans; readonly refused: readonly string[] }
  | { readonly kind: 'none'; readonly refused: readonly string[] }

/** Attaches the first of the probes that can be, and takes it off again. */
export async function tryProbes(probes: ProbeSourceOptions['probes']): Promise<Tried> {
  const refused: string[] = []
  for (const { means, probe } of probes) {
    const problem = await new Promise<string | undefined>((resolve) => {
      const running = probe(
        ({ kind }) => {
          if (kind !== 'attached') return
          running.stop()
          resolve(undefined)
        },
        ({ detail }) => resolve(detail),
      )
    })
    if (problem === undefined) return { kind: 'attached', means, refused }
    refused.push(problem)
  }
  return { kind: 'none', refused }
}
