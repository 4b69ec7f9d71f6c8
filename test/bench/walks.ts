// node --import tsx test/bench/walks.ts [millions of objects]: the walk in Python against the native walk, under every
// interpreter that is here.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { findPythons } from '../setup/interpreters.ts'
import { buildWalker, walkerEnvironment } from '../setup/walker.ts'

type Cost = {
  readonly objects: number
  readonly seconds: number
  readonly copied: number
  readonly peak: number
  readonly rss: number
}

const millions = process.argv[2] ?? '9'
const scratch = mkdtempSync(join(tmpdir(), 'pyheap-bench-'))
const walker = join(scratch, 'walker.so')
const program = new URL('walks.py', import.meta.url).pathname
const rate = ({ objects, seconds }: Cost): number => objects / seconds / 1e6

const describe = (name: string, cost: Cost): string =>
  `  ${name}  ${cost.seconds.toFixed(2).padStart(6)} s CPU, ${rate(cost).toFixed(1).padStart(5)} M objects/s, ` +
  `${cost.copied.toFixed(0).padStart(5)} MiB copied, peak +${cost.peak.toFixed(0)} MiB\n`

try {
  await buildWalker(walker)
  for (const { path, version } of findPythons()) {
    const { stdout } = await execa(path, ['-W', 'ignore', program, millions], {
      env: { ...walkerEnvironment(walker), PYTHONDONTWRITEBYTECODE: '1' },
    })
    const [python, native] = stdout.split('\n').map((line) => JSON.parse(line) as Cost)
    if (!python || !native) throw new Error(`no answer from ${path}`)
    process.stdout.write(
      `CPython ${version}, ${(native.objects / 1e6).toFixed(1)} M objects, ${native.rss.toFixed(0)} MiB\n` +
        describe('in Python', python) +
        describe('natively ', native) +
        `  ratio      ${(rate(native) / rate(python)).toFixed(1)} times the rate, ` +
        `${(python.copied / native.copied).toFixed(0)} times fewer pages copied\n`,
    )
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
