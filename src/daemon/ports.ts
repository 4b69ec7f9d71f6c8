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
import { lasting } from './lasting.ts'
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
  const deliveries = lasting<Delivery>(() => undefined)
  const outs = lasting<{ readonly close: () => void }>((out) => out.close())
  const controls = lasting<Promise<ControlPort>>(async (control) => (await control).close())
  const recorders = lasting<Recorder | undefined>((recorder) => recorder?.close())
  let delivery: Delivery | undefined
  let recorder: Recorder | undefined
  hub.listen((event, before) => {
    const place = { at: new Date().toISOString(), host: hostname() }
    for (const notice of noticesOf(event, before, place)) delivery?.deliver(notice)
    if (event.kind === 'observed') recorder?.record(event.observation)
  })
  const record = (file: string): Recorder =>
    openRecorder(
      file,
      () => everybody(hub.state()),
      (problem) => log.warn({ problem }, 'samples are not recorded'),
    )
  return {
    use: async (config: Config, memoryOf: () => Memory): Promise<void> => {
      const { hooks, webhooks, socket, sampling } = config
      metrics.declare(
        config.targets.map(({ name }) => name),
        config.decide.rules,
      )
      recorder = recorders.get(sampling.recordFile ?? '', () =>
        sampling.recordFile === undefined ? undefined : record(sampling.recordFile),
      )
      const gid = await findGroupId('/etc/group', 'pyheap')
      delivery = deliveries.get(JSON.stringify([hooks, webhooks]), () => {
        if (gid === undefined && hooks.some(({ user }) => user !== 'root'))
          log.warn('there is no group pyheap: only hooks of root can read notices and dumps')
        const receivers = receiversOf(config, process.env, gid, signal)
        return createDelivery(receivers, (delivered) => hub.tell({ kind: 'delivered', ...delivered }))
      })
      outs.get(JSON.stringify(config.metrics), () =>
        startMetrics(config.metrics, metrics, (problem) => log.warn({ problem }, 'metrics')),
      )
      const control = await controls.get(socket, () =>
        openControlPort({ path: socket, gid, hub, demands, metrics, memoryOf, reload, log }),
      )
      control.use(config)
    },
    close: async (): Promise<void> => {
      await controls.end()
      await outs.end()
      await recorders.end()
      // A hook that is slow must not hold up the stop.
      await Promise.race([delivery?.settled(), sleep(SETTLE_MS, undefined, { ref: false })])
    },
  }
}

type Delivery = ReturnType<typeof createDelivery>

const everybody = ({ processes }: ServiceState): readonly WatchedProcess[] =>
  [...processes.values()].map(({ process }) => process)
