import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findPythons } from '../setup/interpreters.ts'
import { missing, planSlice } from './plan.ts'
import { type Result, runJobs } from './run-jobs.ts'
import { renderDetails, renderSummary, renderTable } from './table.ts'
import { completeShare, hasHurt, sum } from './tally.ts'

const CAPTURES = Number(process.env['TORTURE_CAPTURES'] ?? 160)
const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes and to make namespaces'

for (const what of missing(findPythons())) test('a server of other people', { skip: what })

test(
  `services in every state, captured ${CAPTURES} times in all, are complete and unharmed`,
  { skip },
  async () => {
    const pythons = findPythons()
    const jobs = planSlice({ captures: CAPTURES, pythons, states: [], method: 'snapshot', seed: 1 })
    const results: Result[] = []
    const signal = new AbortController().signal
    await runJobs(jobs, { parallel: 2, signal }, (result) => results.push(result))
    const all = sum(results.map(({ tally }) => tally))
    const told = [renderTable(results, pythons), renderDetails(results), renderSummary(results)].join('\n')
    assert.equal(results.length, jobs.length)
    assert.ok(!hasHurt(all), told)
    assert.ok(completeShare(all) >= 0.995, told)
  },
)
