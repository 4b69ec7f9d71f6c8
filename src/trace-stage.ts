import { join } from 'node:path'
import type { OpenGdb } from './capture/open-gdb.ts'
import { startTracing } from './capture/start-tracing.ts'
import { readStub } from './capture/stub-file.ts'
import type { Config } from './config/config.ts'
import { installation, places } from './installation.ts'
import type { PythonProcess, TraceOutcome } from './model.ts'
import { readCgroupUses } from './observe/limits.ts'
import { findMemoryController } from './observe/memory-controller.ts'

/** Captures and traces on one host take turns; a capture of a large heap takes this long. */
const LOCK_TIMEOUT_MS = 60_000

export type TraceStageOptions = { readonly config: Pick<Config, 'capture'>; readonly openGdb: OpenGdb }

/** Starts tracemalloc in a service on this machine, through the same gates as a capture. */
export function createTraceStage({
  config,
  openGdb,
}: TraceStageOptions): (process: PythonProcess, frames: number) => Promise<TraceOutcome> {
  const { procRoot, sysRoot, runDir } = places
  const memoryController = findMemoryController(procRoot, sysRoot)
  const settings = {
    procRoot,
    runDir,
    openGdb,
    ...config.capture,
    stub: readStub(installation.stub),
    traceFile: join(installation.live, 'trace.py'),
    lockTimeoutMs: LOCK_TIMEOUT_MS,
  }
  return async (process, frames) => {
    const readLimits = () => (memoryController ? readCgroupUses(memoryController, process.cgroup) : [])
    return startTracing(process, { ...settings, readLimits }, frames)
  }
}
