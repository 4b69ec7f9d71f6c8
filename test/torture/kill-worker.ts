// Takes kill jobs as lines of JSON and answers each with its tally, in a pid namespace of its own.
import { createInterface } from 'node:readline'
import type { KillJob } from './kill-cases.ts'
import { killRepeatedly } from './kill.ts'

for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(await killRepeatedly(JSON.parse(line) as KillJob))}\n`)
