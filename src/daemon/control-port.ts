import { dirname } from 'node:path'
import { GUARD_FILE } from '../commands/guard-drop-in.ts'
import type { Config } from '../config/config.ts'
import type { Memory } from '../decide/memory.ts'
import { explainProcess } from '../explain-process.ts'
import type { Hub } from './hub.ts'
import type { Log } from '../log.ts'
import { type CaptureKind, completeKinds } from '../model.ts'
import { daemonStatus } from '../report/daemon-status.ts'
import { type ControlAnswer, openControl } from '../service/control.ts'
import type { DemandAnswer, Demands } from '../service/demands.ts'
import type { Metrics } from '../service/metrics.ts'
import { servePrekill } from '../service/prekill.ts'
import { startUnitWatchdog } from '../service/unit-watchdog.ts'
import { findGroupId } from '../store/group.ts'

export type ControlPortOptions = {
  readonly path: string
  readonly gid: number | undefined
  readonly hub: Hub
  readonly demands: Demands
  readonly metrics: Metrics
  readonly memoryOf: () => Memory
  /** Answers what is wrong with the configuration. */
  readonly reload: () => Promise<readonly string[] | undefined>
  readonly log: Log
}

export type ControlPort = { readonly use: (config: Config) => void; readonly close: () => void }

const PREKILL = '/run/systemd/oomd.prekill.hook/pyheap-watchd'

/** Opens the socket that `pyheapctl` speaks to, and the one that systemd-oomd calls before it kills. */
export async function openControlPort(options: ControlPortOptions): Promise<ControlPort> {
  const { path, gid, hub, demands, metrics, memoryOf, reload, log } = options
  let config: Config | undefined
  const cpuAtStart = process.cpuUsage()
  const startedMs = performance.now()
  const capture = async (pid: number, kinds: readonly CaptureKind[]): Promise<ControlAnswer> =>
    toAnswer(
      await demands.ask({ process: { kind: 'pid', pid }, capture: completeKinds(kinds), rule: 'manual' }),
      unwatched(pid),
    )
  const guardPod = async (uid: string): Promise<ControlAnswer> =>
    toAnswer(
      await demands.ask({ process: { kind: 'pod', uid }, capture: ['census', 'stacks'], rule: 'guard' }),
      notWatched(`no process of pod ${uid} is watched`),
    )
  const control = await openControl(path, gid, {
    status: () => {
      const { user, system } = process.cpuUsage(cpuAtStart)
      const cpuShare = (user + system) / 1000 / (performance.now() - startedMs)
      return daemonStatus(hub.state(), Date.now(), { rssBytes: process.memoryUsage.rss(), cpuShare })
    },
    metrics: metrics.render,
    explain: (pid) => {
      const explained = config && explainProcess(memoryOf(), pid, config.decide)
      return explained ? { status: 200, body: explained } : unwatched(pid)
    },
    capture,
    guardPod,
    pause: (forMs) => {
      demands.pause(forMs)
      hub.tell({ kind: 'paused', forMs })
    },
    reload: async () => {
      const problems = await reload()
      if (problems === undefined) return { status: 200, body: { reloaded: true } }
      const detail = 'the configuration is not valid, the old one stays in force'
      return { status: 422, body: { reason: 'config-refused', detail, problems } }
    },
  })
  if (control.kind === 'failed') log.warn({ socket: path, detail: control.detail }, 'no control socket')
  else log.debug({ socket: path }, 'the control socket is open')
  const prekill = servePrekill(
    { path: PREKILL, gid: await findGroupId('/etc/group', 'systemd-oom') },
    async (cgroup) => {
      log.warn({ cgroup }, 'systemd-oomd is about to kill this cgroup')
      await demands.ask({ process: { kind: 'cgroup', cgroup }, capture: ['census', 'stacks'], rule: 'oomd' })
    },
    (problem) => log.warn({ folder: dirname(PREKILL), problem }, 'no pre-kill hook'),
  )
  const watchdog = startUnitWatchdog({
    guardFile: GUARD_FILE,
    folder: '/etc/systemd/system',
    capture: async (unit) => {
      log.warn({ unit }, 'a guarded unit is silent, and its watchdog is about to end it')
      await demands.ask({ process: { kind: 'unit', unit }, capture: ['census', 'stacks'], rule: 'watchdog' })
    },
  })
  return {
    use: (next) => void (config = next),
    close: () => {
      watchdog.close()
      if (control.kind === 'listening') control.close()
      prekill.close()
    },
  }
}

const unwatched = (pid: number): ControlAnswer =>
  notWatched(`process ${pid} is not watched: it is not there, not CPython, or no target names it`)

const notWatched = (detail: string): ControlAnswer => ({
  status: 404,
  body: { reason: 'not-watched', detail },
})

/** As `pyheapctl capture --json` tells a capture of its own. */
function toAnswer(answer: DemandAnswer, otherwise: ControlAnswer): ControlAnswer {
  switch (answer.kind) {
    case 'not-watched':
      return otherwise
    case 'too-many':
      return { status: 429, body: { reason: 'too-many', detail: 'too many captures are asked for already' } }
    case 'ending':
      return { status: 503, body: { reason: 'ending', detail: 'the daemon is about to end' } }
    case 'finished':
      return finishedAnswer(answer.outcome)
    default:
      return answer satisfies never
  }
}

function finishedAnswer(outcome: Extract<DemandAnswer, { kind: 'finished' }>['outcome']): ControlAnswer {
  if (outcome.kind === 'not-stored') return { status: 507, body: outcome.failure }
  if (outcome.kind === 'dumped') {
    const { path, manifest } = outcome.published
    const { method, pause_ms, complete, truncated } = manifest
    return {
      status: 200,
      body: { dump: path, method, pause_ms, complete, truncated, findings: outcome.findings },
    }
  }
  const failed = outcome.outcome.kind === 'failed' ? outcome.outcome : { reason: 'unknown', detail: '' }
  const dump = outcome.kind === 'dumped-outside' ? outcome.published.path : undefined
  return { status: 409, body: { ...failed, dump } }
}
