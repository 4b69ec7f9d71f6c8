import { setTimeout as sleep } from 'node:timers/promises'
import type { CaptureKind } from '../../src/model.ts'
import { digestCode } from '../setup/service.ts'
import { type Attempt, type Method, attempt } from './attempt.ts'
import type { Case } from './cases.ts'
import { type Outside, differences, isStopped, lookFromOutside } from './outside.ts'
import { seeded } from './random.ts'
import { type Tally, count, emptyTally, note } from './tally.ts'
import { type Ready, Target } from './target.ts'

/** One case with one interpreter. */
export type Job = {
  readonly case: Case
  readonly python: string
  readonly captures: number
  readonly seed: number
  readonly method: Method
}

/** So many captures count the heap; the others take only the stacks, which is quick. */
const FULL_CENSUS_SHARE = 1 / 8
const LONGEST_REST_MS = 80

/** Captures targets of one kind again and again, and tells what came of it. A target that was harmed is replaced. */
export async function torture(job: Job): Promise<Tally> {
  const tally = emptyTally()
  const random = seeded(job.seed)
  while (tally.captures < job.captures) {
    const before = tally.captures
    await captureOneTarget(job, tally, random)
    if (tally.captures === before) {
      count(tally.failed, 'target did not start', job.captures - before)
      tally.captures = job.captures
    }
  }
  return tally
}

async function captureOneTarget(job: Job, tally: Tally, random: () => number): Promise<void> {
  const target = new Target(job.python, job.case.state, job.case.surroundings)
  try {
    switch (job.case.moment) {
      case 'starting':
        await sleep(random() * 120)
        await captureOnce(target.pid, { job, tally, random })
        await target.ready()
        break
      case 'ending':
        await target.ready()
        target.signal('SIGTERM')
        await sleep(random() * 60)
        await captureOnce(target.pid, { job, tally, random })
        break
      case 'running':
      case 'stopped':
        await captureRepeatedly({ target, ready: await target.ready() }, job, tally, random)
    }
  } catch (error) {
    note(tally, error instanceof Error ? error.message : String(error))
  }
  await conclude(target, job, tally)
}

type Running = { readonly target: Target; readonly ready: Ready }

async function captureRepeatedly(
  { target, ready }: Running,
  job: Job,
  tally: Tally,
  random: () => number,
): Promise<void> {
  const pid = ready.worker ?? target.pid
  const before = ready.steady ? see(pid) : undefined
  while (tally.captures < job.captures && target.isAlive) {
    await sleep(random() * LONGEST_REST_MS)
    if (job.case.moment === 'stopped') target.signal('SIGSTOP')
    const attempted = await captureOnce(pid, { job, tally, random })
    if (job.case.moment === 'stopped') target.signal('SIGCONT')
    if (!target.isAlive) return // `conclude` tells how it has ended
    if (before) compare(before, pid, tally)
    const isSuspect = attempted.kind === 'failed' || job.method === 'plain-injection'
    if (isSuspect && !(await isWell({ target, ready }, pid))) return
  }
}

type Seen = { readonly code: string; readonly outside: Outside }

const see = (pid: number): Seen => ({ code: digestCode(pid), outside: lookFromOutside(pid) })

function compare(before: Seen, pid: number, tally: Tally): void {
  try {
    const now = see(pid)
    const changes = differences(before.outside, now.outside)
    if (now.code !== before.code) changes.push('its code has changed')
    if (changes.length === 0) return
    tally.misbehaved += 1
    note(tally, changes.join('; '))
  } catch (error) {
    note(tally, `it could not be looked at: ${String(error)}`) // it has ended, which `conclude` tells
  }
}

async function isWell({ target, ready }: Running, pid: number): Promise<boolean> {
  return ready.beating ? target.isBeating() : !isStopped(pid)
}

type Doing = { readonly job: Job; readonly tally: Tally; readonly random: () => number }

async function captureOnce(pid: number, { job, tally, random }: Doing): Promise<Attempt> {
  const kinds: CaptureKind[] = random() < FULL_CENSUS_SHARE ? ['census', 'stacks'] : ['stacks']
  const attempted = await attempt(pid, job.method, kinds)
  tally.captures += 1
  if (attempted.kind === 'complete') {
    tally.complete += 1
    tally.retries += attempted.snapshots - 1
    tally.longestPauseMs = Math.max(tally.longestPauseMs, attempted.pauseMs)
  } else if (job.case.mayRefuse.some((reason) => reason === attempted.reason))
    count(tally.refused, attempted.reason)
  else {
    count(tally.failed, attempted.reason)
    note(tally, `${attempted.reason}: ${attempted.detail}`)
  }
  return attempted
}

/** Has the target end, and hears what it has to say. */
async function conclude(target: Target, job: Job, tally: Tally): Promise<void> {
  const ended = await target.end()
  switch (ended.kind) {
    case 'crashed':
      tally.crashed += 1
      return note(tally, `crashed: ${ended.how}`)
    case 'hung':
      tally.hung += 1
      return note(tally, `hung: ${ended.where}`)
    case 'reported': {
      const bad = [...ended.bad]
      if (ended.continued > 0 && job.case.moment !== 'stopped') bad.push(`${ended.continued} SIGCONT`)
      if (bad.length === 0) return
      tally.misbehaved += 1
      return note(tally, bad.join('; '))
    }
    default:
      return ended satisfies never
  }
}
