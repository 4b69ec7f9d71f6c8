import { EXIT } from '../commands/exit-codes.ts'
import type { Config } from '../config/config.ts'
import { carryOver, pauseLeftMs } from '../decide/memory.ts'
import { installation, places } from '../installation.ts'
import type { Log } from '../log.ts'
import { pushProfiles } from '../push-profiles.ts'
import { initialState } from '../report/service-state.ts'
import { checkMachine } from '../self-check.ts'
import { createDemands } from '../service/demands.ts'
import { createMetrics } from '../service/metrics.ts'
import { createNotifier } from '../service/notify.ts'
import { limitOurselves } from '../service/own-limits.ts'
import { createPulse } from '../service/pulse.ts'
import { restartUnit } from '../service/restart-unit.ts'
import { createHub, type Hub } from './hub.ts'
import { createPorts } from './ports.ts'
import { prepare, type StoreLock } from './prepare.ts'
import { createReloads } from './reloads.ts'
import { runLoop } from './run-loop.ts'
import { loadMemory, saveMemory } from './saved-memory.ts'
import { createSweeper } from './sweeper.ts'
import { createTools, observerKey } from './tools.ts'
import { createUploads } from './uploads.ts'
import { watchDisk } from './watch-disk.ts'

/** A configuration that is read anew, or what is wrong with it. */
export type ReadConfig = () => Promise<Config | { readonly problems: readonly string[] }>

/** The daemon from its start until a signal ends it; answers its exit code. */
export async function live(first: Config, readConfig: ReadConfig, log: Log): Promise<number> {
  const life = new AbortController()
  const reloads = createReloads()
  const end = (signal: NodeJS.Signals): void => {
    log.info({ signal }, 'ending')
    notifier.stopping()
    life.abort()
    reloads.endTurn()
  }
  const notifier = createNotifier(process.env)
  process
    .on('SIGTERM', end)
    .on('SIGINT', end)
    .on('SIGHUP', () => void reloads.ask())

  const prepared = await prepare(first, log)
  if (!prepared) return EXIT.store
  let lock: StoreLock = prepared
  let config = first
  let memory = loadMemory(config, (reason) => log.warn({ reason }, 'starting without the saved state'))

  const { version } = installation
  const counts = { targets: config.targets.length, rules: config.decide.rules.length }
  const hub = createHub(log, initialState({ version, ...counts, startedMs: Date.now() }))
  const pausedMs = pauseLeftMs(memory, performance.now())
  if (pausedMs > 0) hub.tell({ kind: 'paused', forMs: pausedMs })
  const demands = createDemands()
  const metrics = createMetrics(hub.state, () => Date.now())
  const pulse = createPulse(notifier, hub.state, config)
  hub.listen(demands.onEvent)
  hub.listen(metrics.count)
  hub.listen((event) => pulse.onEvent(event))
  hub.listen((event) => actOn(event, hub, log, { profiles: () => config.profiles, signal: life.signal }))
  const ports = createPorts({ hub, demands, metrics, log, signal: life.signal, reload: reloads.ask })
  const tools = createTools(hub)
  const sweep = createSweeper(log)
  await checkOurselves(config, log)
  await ports.use(config, () => memory)
  const uploads = createUploads(hub, log, life.signal)
  uploads.use(config)
  const stopDisk = watchDisk(hub, () => config)

  while (!life.signal.aborted) {
    const kept = tools.use(config, demands)
    const turn = reloads.beginTurn()
    memory = await runLoop(config, log, turn, {
      memory,
      tools: { ...kept, tell: hub.tell, sweep, onMemory: (now) => (memory = now) },
    })
    const problem = saveMemory(config, memory)
    if (problem !== undefined) log.warn({ detail: problem }, 'cannot save what is remembered')
    if (life.signal.aborted) break
    notifier.reloading()
    reloads.begin()
    const next = await readConfig()
    const problems = 'problems' in next ? next.problems : await changeStore(next)
    if (problems !== undefined || 'problems' in next)
      hub.tell({ kind: 'config-refused', problems: problems ?? [] })
    else {
      memory = carryOver(memory, config.decide.rules, next.decide.rules)
      const isAnew = observerKey(next) !== observerKey(config)
      config = next
      log.level = config.logLevel
      pulse.use(config)
      uploads.use(config)
      boundOurselves(config, log)
      await ports.use(config, () => memory)
      hub.tell({
        kind: 'reloaded',
        targets: config.targets.length,
        rules: config.decide.rules.length,
        isAnew,
      })
    }
    reloads.answer(problems)
    notifier.ready()
  }
  stopDisk()
  uploads.close()
  demands.close()
  await ports.close()
  await tools.close()
  pulse.close()
  lock.release()
  return EXIT.ok

  /** Takes the store of a new configuration, if it is another one; answers why it cannot. */
  async function changeStore(next: Config): Promise<readonly string[] | undefined> {
    if (next.store.dir === config.store.dir) return undefined
    const taken = await prepare(next, log)
    if (!taken) return [`store.dir: ${next.store.dir} is in use by another daemon, or not safe: see the log`]
    lock.release()
    lock = taken
    return undefined
  }
}

/** What is wrong with the machine is told at the start, not at the first capture. */
async function checkOurselves(config: Config, log: Log): Promise<void> {
  for (const { name, result, detail } of await checkMachine(config.store))
    if (result === 'failed') log.warn({ check: name, detail }, 'not all that is needed is here')
  boundOurselves(config, log)
}

function boundOurselves(config: Config, log: Log): void {
  const { memoryMaxBytes, cpuMaxShare } = config.own
  const limits = { memoryMaxBytes, cpuMaxShare, snapshotsCpuMaxShare: config.capture.cpuMaxShare }
  for (const detail of limitOurselves(places.procRoot, limits))
    log.info({ detail }, 'cannot bound what the daemon uses itself')
}

type Acting = { readonly profiles: () => Config['profiles']; readonly signal: AbortSignal }

/** What a published dump sets off besides notices. */
function actOn(event: Parameters<Hub['tell']>[0], hub: Hub, log: Log, { profiles, signal }: Acting): void {
  if (event.kind !== 'finished' || event.outcome.kind !== 'dumped') return
  void pushProfiles(event.outcome.published.path, profiles(), log, signal)
  const { unit } = event.outcome.published.manifest.process
  if (event.request.restartUnit !== true || unit === undefined) return
  void restartUnit(unit).then((problem) => hub.tell({ kind: 'restarted', unit, problem }))
}
