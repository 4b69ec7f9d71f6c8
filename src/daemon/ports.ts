import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config/config.ts'
import type { Memory } from '../decide/memory.ts'
import type { Log } from '../log.ts'
import type { WatchedProcess } from '../model.ts'
import { noticesOf } from '../report/notice.ts'
import type { ServiceState } from '../report/service-state.ts'
import { createDelivery } from '../service/deliver.ts'
import type { Demands } from '../service/demands.ts'
import type { Metrics } from '../service/metrics.ts'
import { startMetrics } from '../service/metrics-out.ts'
import { findGroupId } from '../store/group.ts'
import { openRecorder, type Recorder } from '../store/samples/recorder.ts'
import { type ControlPort, openControlPort } from './control-port.ts'
import type { Hub } from './hub.ts'
import { receiversOf } from './receivers.ts'

/** For what is still to be told when the daemon ends. */
const SETTLE_MS = 10_000

export type PortsOptions = {
  readonly hub: Hub
  readonly demands: Demands
  readonly metrics: Metrics
  readonly log: Log
  readonly signal: AbortSignal
  readonly reload: () => Promise<readonly string[] | undefined>
}

/** Where the daemon talks and is talked to; what a new configuration leaves as it was stays open. */
export function createPorts({ hub, demands, metrics, log, signal, reload }: PortsOptions) {
  let delivery = createDelivery([], () => undefined)
  let out = { close: (): void => undefined }
  let control: ControlPort | undefined
  let recorder: Recorder | undefined
  let keys = { telling: '', metrics: '', control: '', record: '' }
  hub.listen((event, before) => {
    const place = { at: new Date().toISOString(), host: hostname() }
    for (const notice of noticesOf(event, before, place)) delivery.deliver(notice)
    if (event.kind === 'observed') recorder?.record(event.observation)
  })
  return {
    use: async (config: Config, memoryOf: () => Memory): Promise<void> => {
      const next = {
        telling: JSON.stringify([config.hooks, config.webhooks]),
        metrics: JSON.stringify(config.metrics),
        control: config.socket,
        record: config.sampling.recordFile ?? '',
      }
      if (next.record !== keys.record) {
        recorder?.close()
        recorder =
          next.record === ''
            ? undefined
            : openRecorder(
                next.record,
                () => everybody(hub.state()),
                (problem) => log.warn({ problem }, 'samples are not recorded'),
              )
      }
      metrics.declare(
        config.targets.map(({ name }) => name),
        config.decide.rules,
      )
      const gid = await findGroupId('/etc/group', 'pyheap')
      if (next.telling !== keys.telling) {
        if (gid === undefined && config.hooks.some(({ user }) => user !== 'root'))
          log.warn('there is no group pyheap: only hooks of root can read notices and dumps')
        const receivers = receiversOf(config, process.env, gid, signal)
        delivery = createDelivery(receivers, (delivered) => hub.tell({ kind: 'delivered', ...delivered }))
      }
      if (next.metrics !== keys.metrics) {
        out.close()
        out = startMetrics(config.metrics, metrics, (problem) => log.warn({ problem }, 'metrics'))
      }
      if (next.control !== keys.control) {
        control?.close()
        control = await openControlPort({
          path: config.socket,
          gid,
          hub,
          demands,
          metrics,
          memoryOf,
          reload,
          log,
        })
      }
      control?.use(config)
      keys = next
    },
    close: async (): Promise<void> => {
      control?.close()
      out.close()
      recorder?.close()
      // A hook that is slow must not hold up the stop.
      await Promise.race([delivery.settled(), sleep(SETTLE_MS, undefined, { ref: false })])
    },
  }
}

const everybody = ({ processes }: ServiceState): readonly WatchedProcess[] =>
  [...processes.values()].map(({ process }) => process)
