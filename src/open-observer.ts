import { execFileSync } from 'node:child_process'
import { readStat } from './capture/read-stat.ts'
import { isSnapshotName } from './capture/snapshot-name.ts'
import type { Config } from './config/config.ts'
import { places } from './installation.ts'
import type { Rule } from './model.ts'
import { endingOf } from './observe/ending.ts'
import { isNear } from './decide/is-near.ts'
import { mayRest } from './decide/may-rest.ts'
import { wantsOf } from './decide/wants.ts'
import { createContainerNaming } from './observe/containers/container-names.ts'
import { readHostMemory } from './observe/host.ts'
import { KernelLog } from './observe/kernel-log.ts'
import { type Observer, createObserver } from './observe/observe.ts'
import { isInitialPidNamespace } from './pid-namespace.ts'
import { podWishes } from './pod-wishes.ts'
import { podsPlace } from './pods-place.ts'

/** Room in the history for one point a step; the dump shows this many. */
const HISTORY_POINTS = 360

/** An observer of this machine, for the daemon; `rulesOf` may change while it lives. */
export function openObserver(
  config: Pick<Config, 'sampling' | 'targets' | 'decide' | 'kubernetes'>,
  rulesOf: () => readonly Rule[] = () => config.decide.rules,
  isProbed: () => boolean = () => false,
): Observer {
  const { historyMs, discoveryMs } = config.sampling
  // Its pids are the host's: in a namespace of our own they would be taken for ours.
  const kernelLog = new KernelLog(isInitialPidNamespace(places.procRoot) ? '/dev/kmsg' : '/dev/null')
  const observer = createObserver({
    ...places,
    endingOf: (id) =>
      endingOf(id, {
        procRoot: places.procRoot,
        killOf: (pid) => kernelLog.killOf(pid),
        now: () => ({ monotonicUs: Number(process.hrtime.bigint() / 1000n), wallMs: Date.now() }),
      }),
    pageBytes: Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' })),
    targets: config.targets,
    containers: createContainerNaming({
      pods: podsPlace(config.kubernetes, process.env),
      dockerDir: places.dockerDir,
    }),
    wishesOf: (container) => podWishes(container, { isOptIn: config.kubernetes.isOptIn, historyMs }),
    discoveryIntervalMs: discoveryMs,
    isIgnored: isOurs,
    isNear: (sample, process) => isNear(sample, process, rulesOf()),
    wants: () => wantsOf(rulesOf()),
    mayRest: (sample, process) => mayRest(sample, process, rulesOf(), isProbed()),
    readHostMemory,
    history: { windowMs: historyMs, resolutionMs: Math.ceil(historyMs / HISTORY_POINTS) },
  })
  const close = (): void => {
    observer.close()
    kernelLog.close()
  }
  return { ...observer, close }
}

/** We ourselves; gdb, which has a Python of its own and is no service; a snapshot, perhaps of a capture by pyheapctl. */
function isOurs(pid: number): boolean {
  const stat = readStat(places.procRoot, pid)
  return pid === process.pid || stat?.command === 'gdb' || isSnapshotName(stat?.command ?? '')
}
