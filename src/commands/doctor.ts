import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createOpenGdb } from '../capture/open-gdb.ts'
import { type Config, defaultConfig } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { createDumpStages } from '../dump-stages.ts'
import { probesOf } from '../growth-probe.ts'
import { places } from '../installation.ts'
import { lookOnce } from '../observe/look-once.ts'
import { readHostMemory } from '../observe/host.ts'
import { tryProbes } from '../observe/probe/try-probes.ts'
import { checkCron } from '../observe/schedule.ts'
import { type Check, checkMachine, failed, ok } from '../self-check.ts'
import { takeDump } from '../take-dump.ts'
import { checkUpload } from './check-upload.ts'
import { EXIT } from './exit-codes.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import { type Terminal, styleOf } from './terminal.ts'

/** `pyheapctl doctor`: tries everything that the daemon needs, up to one capture of a process of its own. */
export async function doctorCommand(options: CommonOptions, terminal: Terminal): Promise<number> {
  const settings = await readSettings(options, { ...terminal, err: () => undefined }).then(
    (found) => found ?? defaultConfig,
  )
  const checks: Check[] = [
    ...(await checkMachine(settings.store)),
    await checkConfig(options.config),
    await checkProbe(settings),
    ...(settings.upload === undefined ? [] : [await checkUpload(settings.upload)]),
  ]
  terminal.progress('taking a trial capture …')
  checks.push(await tryCapture())
  if (options.json === true) terminal.out(JSON.stringify({ checks }, null, 1))
  else tell(checks, terminal)
  return checks.some(({ result }) => result === 'failed') ? EXIT.doctor : EXIT.ok
}

function tell(checks: readonly Check[], terminal: Terminal): void {
  const { palette } = styleOf(terminal)
  const marks = {
    ok: palette.green('ok      '),
    optional: palette.yellow('absent  '),
    failed: palette.red('FAILED  '),
  }
  terminal.progress('')
  const lines = checks.map(({ name, result, detail }) => `${marks[result]} ${name.padEnd(14)} ${detail}\n`)
  terminal.out(`${lines.join('')}\n${summarise(checks)}`)
}

function summarise(checks: readonly Check[]): string {
  const count = (result: Check['result']): number => checks.filter((check) => check.result === result).length
  if (count('failed') > 0) return `to be fixed: ${count('failed')} of ${checks.length}`
  return `all that is needed is here${count('optional') > 0 ? `, ${count('optional')} optional things are not` : ''}`
}

async function checkConfig(file: string): Promise<Check> {
  if (!existsSync(file))
    return { name: 'config', result: 'optional', detail: `no ${file}: defaults are used` }
  const parsed = await loadConfig(file, undefined, { checkCron })
  return parsed.kind === 'config'
    ? ok('config', `${file}, ${parsed.config.decide.rules.length} rules`)
    : failed('config', `${file} has ${parsed.problems.length} mistakes; see: pyheapctl check ${file}`)
}

/** Nothing needs it but latency: without a probe growth is seen at the next poll. */
async function checkProbe(config: Config): Promise<Check> {
  const { probe, probeKind } = config.sampling
  if (probe === 'off')
    return { name: 'probe', result: 'optional', detail: 'sampling.probe is off: processes are polled' }
  if (process.getuid?.() !== 0) return { name: 'probe', result: 'optional', detail: 'needs root to be tried' }
  const tried = await tryProbes(probesOf(config))
  const refused = tried.refused.map((reason) => reason.replaceAll(/\s+/g, ' ')).join('; ')
  if (tried.kind === 'none')
    return { name: 'probe', result: 'optional', detail: `none, processes are polled: ${refused}` }
  return ok('probe', `${probeKind} by ${tried.means}${refused === '' ? '' : `, since: ${refused}`}`)
}

/** One real capture of a small Python of our own, into a store of its own. */
async function tryCapture(): Promise<Check> {
  if (process.getuid?.() !== 0) return failed('trial capture', 'needs root')
  const dir = mkdtempSync(join(tmpdir(), 'pyheap-doctor-'))
  const python = spawn('python3', ['-c', 'import time; time.sleep(60)'], { stdio: 'ignore' })
  try {
    await sleep(500)
    return python.pid === undefined || python.exitCode !== null
      ? { name: 'trial capture', result: 'optional', detail: 'no python3 here to try it on' }
      : await captureTrial(python, dir)
  } finally {
    python.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  }
}

async function captureTrial(python: ChildProcess, dir: string): Promise<Check> {
  const pageBytes = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }))
  const look = await lookOnce(python.pid ?? 0, performance.now(), {
    ...places,
    pageBytes,
    host: await readHostMemory(),
  })
  if (look.kind !== 'seen')
    return failed('trial capture', `its own python3 was not recognised (${look.kind})`)
  const store = { ...defaultConfig.store, dir, reserveBytes: 0 }
  const stages = createDumpStages({
    config: { ...defaultConfig, store },
    openGdb: createOpenGdb(defaultConfig.capture.gdbTimeoutMs),
    historyOf: () => [],
    onProgress: () => undefined,
  })
  const { process, sample } = look
  const request = {
    kind: 'capture' as const,
    process: process.id,
    fired: { rule: 'doctor', kind: 'manual' as const },
    alsoFired: [],
    capture: ['census' as const],
  }
  const outcome = await takeDump(
    { process, target: 'doctor', request, sample, startedAt: new Date().toISOString() },
    stages,
  )
  if (outcome.kind === 'dumped')
    return ok('trial capture', `a python3 stood still for ${outcome.published.manifest.pause_ms} ms`)
  if (outcome.kind === 'not-stored') return failed('trial capture', outcome.failure.detail)
  const { outcome: failure } = outcome
  return failed('trial capture', failure.kind === 'failed' ? `${failure.detail}; ${failure.hint ?? ''}` : '')
}
