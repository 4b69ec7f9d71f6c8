import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { pyheapctl } from '../setup/run-tool.ts'
import { RunningService } from '../setup/service.ts'

export type GraphCosts = {
  readonly objects: number
  readonly references: number
  readonly rssBytes: number
  /** How long the snapshot lived, without a graph and with one. */
  readonly censusMs: number
  readonly graphMs: number
  readonly copiedBytes: number
  readonly gapMs: number
  readonly fileBytes: number
  /** Of `pyheapctl graph`. */
  readonly analysisMs: number
  readonly analysisRssBytes: number
}

/** Runs a command and tells on the last line of stderr what it took at most, in KiB. */
const MEASURED = `
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
sys.stderr.write("\\n%d\\n" % resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
`

/** What a whole graph costs, of a busy service with so many million instances of three objects each. */
export async function measureGraph(python: string, millions: number, scratch: string): Promise<GraphCosts> {
  const shared = join(scratch, 'gaps')
  writeFileSync(shared, Buffer.alloc(16))
  const heap = new URL('heap.py', import.meta.url).pathname
  const service = new RunningService(python, [heap, shared, String(millions)])
  try {
    await service.said('ready', 300_000)
    const store = join(scratch, 'graphs')
    const capture = async (kinds: string): Promise<Manifest> => {
      const { out, err } = await pyheapctl(
        'capture',
        `${service.pid}`,
        '--json',
        '--with',
        kinds,
        '--store',
        store,
      )
      if (out === '') throw new Error(err)
      const { dump } = JSON.parse(out) as { dump: string }
      return {
        dump,
        ...(JSON.parse(readFileSync(join(dump, 'dump.json'), 'utf8')) as Omit<Manifest, 'dump'>),
      }
    }
    const without = await capture('census')
    writeFileSync(shared, Buffer.alloc(16), { flag: 'r+' })
    const { dump, phases, rss_bytes, copied_bytes } = await capture('census,graph')
    const gapMs = Number(readFileSync(shared).readBigUInt64LE(0)) / 1e6
    const began = performance.now()
    const ctl = new URL('../../dist/pyheapctl.js', import.meta.url).pathname
    const { stdout, stderr } = await execa(
      python,
      ['-c', MEASURED, process.execPath, ctl, 'graph', dump, '--json'],
      { maxBuffer: 2 ** 26 },
    )
    const { objects, references } = JSON.parse(stdout) as { objects: number; references: number }
    return {
      objects,
      references,
      rssBytes: rss_bytes,
      censusMs: lifeOf(without.phases),
      graphMs: lifeOf(phases),
      copiedBytes: copied_bytes,
      gapMs,
      fileBytes: statSync(join(dump, 'graph.gz')).size,
      analysisMs: performance.now() - began,
      analysisRssBytes: Number(stderr.trim().split('\n').at(-1)) * 1024,
    }
  } finally {
    await service.stop()
  }
}

type Manifest = {
  readonly dump: string
  readonly rss_bytes: number
  readonly copied_bytes: number
  readonly phases: readonly { readonly name: string; readonly ms: number }[]
}

const lifeOf = (phases: Manifest['phases']): number =>
  phases.find(({ name }) => name === 'census in the snapshot')?.ms ?? NaN
