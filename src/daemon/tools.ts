import { createOpenGdb } from '../capture/open-gdb.ts'
import { WarmGdb } from '../capture/warm-gdb.ts'
import type { Config } from '../config/config.ts'
import { growthProbe } from '../growth-probe.ts'
import type { Observer } from '../observe/observe.ts'
import { openObserver } from '../open-observer.ts'
import type { Demands } from '../service/demands.ts'
import { lastingSource } from '../service/lasting-source.ts'
import type { Hub } from './hub.ts'

/** What an observer is made for. */
export const observerKey = ({ targets, sampling }: Config): string =>
  JSON.stringify([targets, sampling.discoveryMs, sampling.historyMs])

/** What outlives a reload: it begins anew only where its part of the configuration has changed. */
export function createTools(hub: Hub) {
  let observer: Observer | undefined
  let gdb: WarmGdb | undefined
  let probe: ReturnType<typeof lastingSource> | undefined
  let keys = { observer: '', gdb: '', probe: '' }
  let rules: Config['decide']['rules'] = []
  const tell = (state: Parameters<Parameters<typeof growthProbe>[2]>[0], isWanted: boolean): void =>
    hub.tell({ kind: 'probe', state, isWanted })
  return {
    use: (config: Config, demands: Demands) => {
      const { sampling, decide, capture } = config
      rules = decide.rules
      const next = {
        observer: observerKey(config),
        gdb: String(capture.gdbTimeoutMs),
        probe: JSON.stringify([sampling, rules.map(({ when }) => when)]),
      }
      if (next.observer !== keys.observer) {
        observer?.close()
        observer = openObserver(
          config,
          () => rules,
          () => hub.state().probe?.kind === 'active',
        )
      }
      if (next.gdb !== keys.gdb) {
        void gdb?.close()
        gdb = new WarmGdb(createOpenGdb(capture.gdbTimeoutMs))
      }
      if (next.probe !== keys.probe) {
        probe?.close()
        const source = growthProbe(config, () => observer ?? openObserver(config), tell)
        probe = source && lastingSource(source)
      }
      keys = next
      const sources = [demands.source, ...(probe ? [probe.source] : [])]
      return {
        observer: observer ?? openObserver(config),
        gdb: gdb ?? new WarmGdb(createOpenGdb(0)),
        sources,
      }
    },
    close: async (): Promise<void> => {
      probe?.close()
      await gdb?.close()
      observer?.close()
    },
  }
}
