import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CaptureKind } from '../../src/model.ts'
import { type KillJob, type KillTally, emptyKillTally } from './kill-cases.ts'
import { isStopped } from './outside.ts'
import { findRunning, findSnapshot, spinFor, spinUntil } from './phase-watch.ts'
import { seeded } from './random.ts'
import { Target } from './target.ts'

const JITTER_MS = { short: 3, long: 40 }
const CAPTURE_WITHIN_MS = 60_000

/** Kills one victim in one phase again and again, and tells what became of the service. */
export async function killRepeatedly(job: KillJob): Promise<KillTally> {
  const tally = emptyKillTally()
  const random = seeded(job.seed)
  const runDir = mkdtempSync(join(tmpdir(), 'pyheap-kill-'))
  let target: Target | undefined
  while (tally.rounds < job.rounds) {
    tally.rounds += 1
    target ??= await start(job)
    await killOnce(target, { job, tally, runDir, jitter: random() })
    if (target.isAlive && job.victim !== 'service') continue
    await conclude(target, job, tally)
    target = undefined
  }
  if (target) await conclude(target, job, tally)
  rmSync(runDir, { recursive: true })
  return tally
}

async function start({ python, state }: KillJob): Promise<Target> {
  const target = new Target(python, state, 'plain')
  await target.ready()
  return target
}

type Round = {
  readonly job: KillJob
  readonly tally: KillTally
  readonly runDir: string
  readonly jitter: number
}

async function killOnce(target: Target, round: Round): Promise<void> {
  const { job, tally, runDir } = round
  const { pid } = target
  if (job.phase === 'recovery') await leaveSomethingToMend(pid, runDir)
  const first = new Capturer(runDir, pid)
  if (job.phase === 'recovery') await first.isRecovering()
  const isSeen = spinUntil(job.phase, pid, first.pid)
  spinFor(round.jitter * (job.phase === 'census' ? JITTER_MS.long : JITTER_MS.short))
  if (isSeen && strike(job, pid, first.pid)) tally.struck += 1
  const answer = await first.answer()
  await sleep(50)
  if (job.victim === 'service') {
    if (answer.kind === 'lost' || (answer.kind === 'failed' && answer.reason !== 'gone'))
      tell(round, `the daemon said ${JSON.stringify(answer)} of a service that was killed`)
    return checkStrays(round)
  }
  await gdbHasEnded()
  if (isStopped(pid)) tally.stoodStill += 1
  await captureAgain(target, round, answer)
}

/** A daemon that is killed while its gdb holds the service. */
async function leaveSomethingToMend(pid: number, runDir: string): Promise<void> {
  const daemon = new Capturer(runDir, pid)
  if (spinUntil('stopped', pid, daemon.pid)) process.kill(daemon.pid, 'SIGKILL')
  await daemon.answer()
}

/** The next daemon has to find a service that it can mend and capture. */
async function captureAgain(target: Target, round: Round, first: Answer): Promise<void> {
  const { tally, runDir } = round
  if (!target.isAlive) return // `conclude` tells how it has ended
  const answer = await new Capturer(runDir, target.pid, ['stacks']).answer()
  const isCaptured = answer.kind === 'complete'
  if (isStopped(target.pid)) tally.leftStopped += 1
  else if (target.isAlive && !(await target.isBeating())) tell(round, 'its heart beats no more')
  if (!isCaptured) {
    tally.notCapturedAgain += 1
    tell(round, `after ${JSON.stringify(first)} the next capture said ${JSON.stringify(answer)}`)
  }
  checkStrays(round)
}

function checkStrays(round: Round): void {
  const [gdb, snapshot] = [findRunning('gdb'), findSnapshot()]
  if (gdb + snapshot === 0) return
  round.tally.strays += 1
  tell(round, `left behind: gdb ${gdb}, snapshot ${snapshot}`)
}

function strike({ victim }: KillJob, service: number, daemon: number): boolean {
  const pids = { gdb: findRunning('gdb'), daemon, snapshot: findSnapshot(), service }
  const pid = pids[victim]
  try {
    return pid !== 0 && process.kill(pid, 'SIGKILL')
  } catch {
    return false // it was quicker
  }
}

/** A gdb whose daemon was killed finishes what it is at, and ends by itself. */
async function gdbHasEnded(): Promise<void> {
  for (let waited = 0; waited < 5000 && findRunning('gdb') !== 0; waited += 20) await sleep(20)
}

async function conclude(target: Target, job: KillJob, tally: KillTally): Promise<void> {
  const ended = await target.end()
  if (ended.kind === 'reported') {
    if (ended.bad.length > 0) tally.misbehaved += 1
    for (const bad of ended.bad) tell({ tally }, bad)
  } else if (job.victim !== 'service') {
    tally.died += 1
    tell({ tally }, ended.kind === 'crashed' ? ended.how : `hung: ${ended.where}`)
  }
}

function tell({ tally }: { readonly tally: KillTally }, detail: string): void {
  if (tally.details.length < 10) tally.details.push(detail)
}

type Answer = { readonly kind: string; readonly reason?: string }

/** A process that captures. */
class Capturer {
  readonly #process: ChildProcess
  readonly #ended: Promise<unknown>
  #output = ''

  constructor(runDir: string, pid: number, kinds: readonly CaptureKind[] = ['census', 'stacks']) {
    const program = new URL('capturer.ts', import.meta.url).pathname
    this.#process = spawn(process.execPath, ['--import', 'tsx', program, runDir, String(pid), ...kinds], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: CAPTURE_WITHIN_MS,
      killSignal: 'SIGKILL',
    })
    this.#process.stdout?.on('data', (data) => (this.#output += String(data)))
    this.#process.stderr?.on('data', (data) => (this.#output += String(data)))
    this.#ended = once(this.#process, 'exit')
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** Waits until it begins to mend what it finds. */
  async isRecovering(): Promise<void> {
    while (!this.#output.includes('recovering') && this.#process.exitCode === null) await sleep(1)
  }

  /** What it printed at its end; `lost` when it was killed. */
  async answer(): Promise<Answer> {
    await this.#ended
    const line = /^\{.*\}$/m.exec(this.#output)?.[0]
    if (line !== undefined) return JSON.parse(line) as Answer
    return { kind: this.#process.signalCode === null ? `broken: ${this.#output.slice(-400)}` : 'lost' }
  }
}
