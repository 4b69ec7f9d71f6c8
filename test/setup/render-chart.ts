import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { parse } from 'yaml'

const GO_LIBRARIES = '/usr/share/gocode'

/** What a chart makes of its own values with `changed` over them, as text; undefined where Go is not installed. */
export async function renderChart(chart: string, changed: object = {}): Promise<string | undefined> {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-chart-'))
  try {
    const values = parse(readFileSync(join(chart, 'values.yaml'), 'utf8')) as object
    const file = join(scratch, 'values.json')
    writeFileSync(file, JSON.stringify({ ...values, ...changed }))
    const program = new URL('helm/render.go', import.meta.url).pathname
    const { stdout, exitCode, stderr, code } = await execa('go', ['run', program, chart, file], {
      reject: false,
      timeout: 300_000,
      env: { GO111MODULE: 'off', GOPATH: GO_LIBRARIES, GOCACHE: join(scratch, 'cache'), GOFLAGS: '' },
    })
    if (code === 'ENOENT') return undefined
    if (exitCode !== 0) throw new Error(stderr)
    return stdout
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
