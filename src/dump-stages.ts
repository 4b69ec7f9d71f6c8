import { join } from 'node:path'
import { analyse } from './analyse/analyse.ts'
import { type CaptureSettings, capture } from './capture/capture.ts'
import { readCountSource } from './capture/live-source.ts'
import type { OpenGdb } from './capture/open-gdb.ts'
import { readPayload } from './capture/payload-text.ts'
import { readStub } from './capture/stub-file.ts'
import type { Config } from './config/config.ts'
import { installation, places } from './installation.ts'
import type { Dump, MachineFacts, ProcessId, RssPoint } from './model.ts'
import { readMachineFacts } from './observe/host.ts'
import { readOutsideEvidence } from './observe/outside.ts'
import { traceCollections } from './observe/trace-collections.ts'
import { limitsReader } from './read-limits.ts'
import { readPageAssets } from './read-page-assets.ts'
import { renderPage } from './report/html/page.ts'
import { renderVerdict } from './report/verdict-text.ts'
import { findBaseline } from './store/find-baseline.ts'
import { checkFreeSpace } from './store/free-space.ts'
import { openDump } from './store/partial-dump.ts'
import { storeAt } from './store/place.ts'
import { listDumps, readDump } from './store/read-dumps.ts'
import type { DumpStages } from './take-dump.ts'

/** A dump's own size where nothing is known of it: far above what 10 million objects gave (3 MiB). */
export const DUMP_ESTIMATE_BYTES = 32 * 2 ** 20

/** Long enough for a collection of the oldest generation in most services that are at work. */
const COLLECTIONS_MS = 5000

/** Captures on one host take turns; one of a large heap takes this long. */
const LOCK_TIMEOUT_MS = 60_000

export type DumpStagesOptions = {
  readonly config: Pick<Config, 'store' | 'capture'>
  readonly openGdb: OpenGdb
  readonly historyOf: (id: ProcessId) => readonly RssPoint[]
  readonly onProgress: (objects: number) => void
  /** Answers why a capture has to be broken off for another one. */
  readonly giveWay?: () => string | undefined
}

/** The stages of a dump on this machine, for the daemon and for `pyheapctl capture`. */
export function createDumpStages(options: DumpStagesOptions): DumpStages {
  const { config, openGdb, historyOf, onProgress, giveWay } = options
  const { procRoot, sysRoot, runDir } = places
  const { dir, reserveBytes } = config.store
  const stub = readStub(installation.stub)
  const payload = readPayload(installation.payload)
  const inlineSource = config.capture.allowInline
    ? readCountSource(installation.live, installation.payload)
    : undefined
  const pageAssets = readPageAssets(installation.page)
  let machine: Promise<MachineFacts> | undefined
  return {
    readOutside: ({ process, sample, startedAt }) =>
      readOutsideEvidence({
        procRoot,
        sysRoot,
        process,
        history: historyOf(process.id),
        limit: sample.limit,
        takenAt: startedAt,
      }),
    checkRoom: async () => {
      const space = await checkFreeSpace(dir, { estimateBytes: DUMP_ESTIMATE_BYTES, reserveBytes })
      return space.kind === 'failed' ? space : undefined
    },
    openDump: ({ target, startedAt, process, request }) =>
      openDump(storeAt(dir), target, { at: startedAt, pid: process.id.pid, rule: request.fired.rule }),
    capture: async ({ process, request }, pathOf) => {
      const settings: CaptureSettings = {
        procRoot,
        runDir,
        openGdb,
        stub,
        payload,
        kinds: request.capture,
        core: { path: pathOf('core'), reserveBytes },
        graph: { path: pathOf('graph.gz'), reserveBytes },
        ...config.capture,
        readLimits: limitsReader(process),
        lockTimeoutMs: LOCK_TIMEOUT_MS,
        inlineSource,
        onProgress,
        giveWay,
      }
      return capture(process, settings)
    },
    listenToCollector: async ({ process, request }) =>
      request.capture.includes('gc')
        ? traceCollections({
            procRoot,
            program: join(installation.bpf, 'python-gc.bt'),
            pid: process.id.pid,
            interpreter: process.interpreter,
            forMs: COLLECTIONS_MS,
          })
        : undefined,
    findBaseline: (dump) => readBaseline(dir, dump),
    analyse: (dump, baseline) => analyse(dump, baseline),
    renderSummary: (findings) => renderVerdict(findings),
    renderPage: (dump, findings) => renderPage(dump, findings, pageAssets),
    readMachine: () => (machine ??= readMachineFacts()),
    now: () => new Date(),
  }
}

/** The newest earlier dump of the same process with a census, if it can still be read. */
async function readBaseline(dir: string, dump: Dump): Promise<Dump | undefined> {
  const { target, process } = dump.manifest
  const { dumps } = await listDumps(dir, target, process.pid)
  const found = findBaseline(dump, dumps)
  if (!found) return undefined
  const read = await readDump(found.path)
  return read.kind === 'read' ? read.dump : undefined
}
