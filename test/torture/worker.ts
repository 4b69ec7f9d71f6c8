// Takes jobs as lines of JSON and answers each with its tally. It runs in a pid namespace of its own, where it sees no
// process of anybody else's captures, and which takes everything with it when it ends.
import { createInterface } from 'node:readline'
import { type Job, torture } from './session.ts'

// Who started it has ended, and with it the need for an answer.
process.stdout.on('error', () => process.exit(1))

for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(await torture(JSON.parse(line) as Job))}\n`)
