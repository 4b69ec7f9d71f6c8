import { join } from 'node:path'
import type { Config } from './config/config.ts'
import { probeLevels } from './decide/probe-levels.ts'
import { installation, places } from './installation.ts'
import type { ProbeState } from './model.ts'
import type { Observer } from './observe/observe.ts'
import { type ProbeSourceOptions, probeSource } from './observe/probe/probe-source.ts'
import { bpftraceProbe } from './observe/probe/run-bpftrace.ts'
import { ftraceProbe } from './observe/probe/run-ftrace.ts'
import type { TriggerSource } from './observe/triggers.ts'
import { isInitialPidNamespace } from './pid-namespace.ts'

/** The probe that the config asks for, as a source of triggers; none where it is off. */
export function growthProbe(
  config: Config,
  observer: Observer,
  tell: (state: ProbeState, isWanted: boolean) => void,
): TriggerSource | undefined {
  const { probe, probeKind } = config.sampling
  if (probe === 'off') return undefined
  return probeSource({
    kind: probeKind,
    probes: probesOf(config),
    isOfInterest: (pid) => observer.standing(pid) !== 'other',
    arePidsForeign: !isInitialPidNamespace(places.procRoot),
    tell: (state) => tell(state, probe === 'on'),
    now: () => performance.now(),
  })
}

/** What may notice growth here, with its levels from the rules. */
export function probesOf({
  sampling,
  decide,
  kubernetes,
}: Pick<Config, 'sampling' | 'decide' | 'kubernetes'>): ProbeSourceOptions['probes'] {
  const levels = probeLevels(decide.rules, kubernetes.podsUrl !== undefined)
  const { floorBytes } = levels
  const stepBytes = sampling.probeStepBytes ?? levels.stepBytes
  const bpftrace = (name: string, ...parameters: number[]) =>
    ({ means: 'bpftrace', probe: bpftraceProbe({ file: join(installation.bpf, name), parameters }) }) as const
  if (sampling.probeKind === 'address-space') return [bpftrace('address-space.bt', stepBytes)]
  const ftrace = ftraceProbe({ procRoot: places.procRoot, floorBytes, stepBytes })
  return [bpftrace('rss.bt', floorBytes, stepBytes), { means: 'ftrace', probe: ftrace }]
}
