import { join } from 'node:path'
import type { Config } from './config/config.ts'
import { probeLevels } from './decide/probe-levels.ts'
import { installation } from './installation.ts'
import type { Log } from './log.ts'
import type { Observer } from './observe/observe.ts'
import { probeSource } from './observe/probe/probe-source.ts'
import type { ProbeProgram } from './observe/probe/run-bpftrace.ts'
import type { TriggerSource } from './observe/triggers.ts'
import { probeLine } from './report/probe-line.ts'

/** The probe that the config asks for, as a source of triggers; none where it is off. */
export function growthProbe(config: Config, observer: Observer, log: Log): readonly TriggerSource[] {
  const { probe, probeKind } = config.sampling
  if (probe === 'off') return []
  return [
    probeSource({
      kind: probeKind,
      program: probeProgram(config),
      isOfInterest: (pid) => observer.standing(pid) !== 'other',
      tell: (state) => {
        const { level, fields, message } = probeLine(state, probe === 'on')
        log[level](fields, message)
      },
      now: () => performance.now(),
    }),
  ]
}

/** The program for bpftrace, with its levels from the rules. */
export function probeProgram({ sampling, decide }: Pick<Config, 'sampling' | 'decide'>): ProbeProgram {
  const { floorBytes, stepBytes } = probeLevels(decide.rules)
  return sampling.probeKind === 'rss'
    ? { file: join(installation.bpf, 'rss.bt'), parameters: [floorBytes, stepBytes] }
    : { file: join(installation.bpf, 'address-space.bt'), parameters: [stepBytes] }
}
