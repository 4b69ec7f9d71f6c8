import { createOpenGdb } from '../capture/open-gdb.ts'
import { WarmGdb } from '../capture/warm-gdb.ts'
import type { Config } from '../config/config.ts'
import { growthProbe } from '../growth-probe.ts'
import type { ProbeState } from '../model.ts'
import type { Observer } from '../observe/observe.ts'
import { openObserver } from '../open-observer.ts'
import type { Demands } from '../service/demands.ts'
import { type LastingSource, lastingSource } from '../service/lasting-source.ts'
import type { Hub } from './hub.ts'
import { lasting } from './lasting.ts'

/** What an observer is made for. */
export const observerKey = ({ targets, sampling, kubernetes }: Config): string =>
  JSON.stringify([targets, sampling.discoveryMs, sampling.historyMs, kubernetes])

/** What outlives a reload: it begins anew only where its part of the configuration has changed. */
export function createTools(hub: Hub) {
  const observers = lasting<Observer>((observer) => observer.close())
  const gdbs = lasting<WarmGdb>((gdb) => gdb.close())
  const probes = lasting<LastingSource | undefined>((probe) => probe?.close())
  let rules: Config['decide']['rules'] = []
  const isProbed = (): boolean => hub.state().probe?.kind === 'active'
  const tell = (state: ProbeState, isWanted: boolean): void => hub.tell({ kind: 'probe', state, isWanted })
  return {
    use: (config: Config, demands: Demands) => {
      const { sampling, capture } = config
      rules = config.decide.rules
      const observer = observers.get(observerKey(config), () => openObserver(config, () => rules, isProbed))
      const gdb = gdbs.get(
        String(capture.gdbTimeoutMs),
        () => new WarmGdb(createOpenGdb(capture.gdbTimeoutMs)),
      )
      const levels = JSON.stringify([sampling, rules.map(({ when }) => when), observerKey(config)])
      const probe = probes.get(levels, () => {
        const source = growthProbe(config, observer, tell)
        return source && lastingSource(source)
      })
      return { observer, gdb, sources: [demands.source, ...(probe ? [probe.source] : [])] }
    },
    close: async (): Promise<void> => {
      await probes.end()
      await gdbs.end()
      await observers.end()
    },
  }
}
