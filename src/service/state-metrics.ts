import { Counter, Gauge, type Registry } from 'prom-client'
import type { KnownProcess, ServiceState } from '../report/service-state.ts'

/** Gauges that are read off the state when somebody asks. */
export function registerState(registers: Registry[], stateOf: () => ServiceState, now: () => number): void {
  const single = (name: string, help: string, read: (state: ServiceState) => number | undefined): void => {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers,
      collect: () => {
        const value = read(stateOf())
        if (value === undefined) gauge.reset()
        else gauge.set(value)
      },
    })
  }
  const byTarget = (name: string, help: string, read: (known: readonly KnownProcess[]) => number): void => {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames: ['target'],
      registers,
      collect: () => {
        gauge.reset()
        for (const [target, known] of groupByTarget(stateOf())) gauge.set({ target }, read(known))
      },
    })
  }
  byTarget('pyheap_target_processes', 'Processes that are watched.', (known) => known.length)
  byTarget('pyheap_target_rss_bytes', 'Resident memory of all processes of a target together.', (known) =>
    known.reduce((sum, { rssBytes = 0 }) => sum + rssBytes, 0),
  )
  byTarget('pyheap_target_rss_max_bytes', 'Resident memory of the largest process of a target.', (known) =>
    known.reduce((most, { rssBytes = 0 }) => Math.max(most, rssBytes), 0),
  )
  byTarget(
    'pyheap_target_limit_ratio_max',
    'Use of the tightest limit, 0 to 1, of the process of a target that is nearest to its own.',
    (known) => known.reduce((most, { limitShare = 0 }) => Math.max(most, limitShare), 0),
  )
  single(
    'pyheap_config_valid',
    '0: the configuration on disk was refused, and the old one is in force.',
    ({ refused }) => Number(refused === undefined),
  )
  single('pyheap_paused', '1 while rules are paused.', ({ pausedUntilMs = 0 }) =>
    Number(pausedUntilMs > now()),
  )
  single('pyheap_probe_active', '1 while the probe for growth is attached.', ({ probe }) =>
    Number(probe?.kind === 'active'),
  )
  single('pyheap_capturing', '1 while a capture runs.', ({ isCapturing }) => Number(isCapturing))
  single('pyheap_store_free_bytes', 'Free disk space where dumps are.', ({ disk }) => disk?.freeBytes)
  single('pyheap_store_low', '1 while there is no room for dumps.', ({ disk }) => disk && Number(disk.isLow))
  single(
    'pyheap_uploads_waiting',
    'Dumps that are still to be sent to the bucket.',
    ({ uploads }) => uploads?.left,
  )
  single('pyheap_start_time_seconds', 'When the daemon was started.', ({ startedMs }) => startedMs / 1000)
  single('process_resident_memory_bytes', 'Resident memory of the daemon itself.', () =>
    process.memoryUsage.rss(),
  )
  const cpu: Counter = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the daemon itself, user and system.',
    registers,
    collect: () => {
      const { user, system } = process.cpuUsage()
      cpu.reset()
      cpu.inc((user + system) / 1e6)
    },
  })
  const build: Gauge = new Gauge({
    name: 'pyheap_build_info',
    help: 'Always 1; the label says which version runs.',
    labelNames: ['version'],
    registers,
    collect: () => build.set({ version: stateOf().version }, 1),
  })
}

function groupByTarget({ processes }: ServiceState): ReadonlyMap<string, readonly KnownProcess[]> {
  const groups = new Map<string, KnownProcess[]>()
  for (const known of processes.values()) {
    const { target } = known.process
    const group = groups.get(target)
    if (group) group.push(known)
    else groups.set(target, [known])
  }
  return groups
}
