import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killAll } from './kill-all.ts'
import { type KillJob, PHASES_OF, type VictimName, isHarmful } from './kill-cases.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes and to make namespaces'
const STATES = ['sleep', 'malloc'] as const

test(
  'whoever is killed while a capture goes on, the service lives on, and can be captured again',
  { skip },
  async () => {
    const jobs = (Object.keys(PHASES_OF) as VictimName[]).flatMap((victim) =>
      PHASES_OF[victim].map((phase, number): KillJob => {
        const state = STATES[number % STATES.length] ?? 'sleep'
        return { victim, phase, state, python: '/usr/bin/python3', rounds: 1, seed: number }
      }),
    )
    const harmed: unknown[] = []
    const struck = new Map<string, number>()
    await killAll(jobs, { parallel: 2, signal: new AbortController().signal }, (job, tally) => {
      const kill = `${job.victim} ${job.phase}`
      struck.set(kill, (struck.get(kill) ?? 0) + tally.struck)
      if (isHarmful(tally)) harmed.push({ job, tally })
    })
    assert.deepEqual(harmed, [])
    const missed = [...struck].filter(([, count]) => count === 0).map(([kill]) => kill)
    // Some phases last for less than a millisecond, and may not be seen on a busy machine.
    assert.ok(missed.length <= struck.size / 2, `never killed: ${missed.join(', ')}`)
    assert.deepEqual(
      missed.filter((kill) => kill.endsWith('census')),
      [],
    )
  },
)
