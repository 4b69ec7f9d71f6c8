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
    let struck = 0
    await killAll(jobs, { parallel: 2, signal: new AbortController().signal }, (job, tally) => {
      struck += tally.struck
      if (isHarmful(tally)) harmed.push({ job, tally })
    })
    assert.deepEqual(harmed, [])
    assert.ok(struck > jobs.length / 2, `only ${struck} of ${jobs.length} were killed in their phase`)
  },
)
