import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ran } from '../../src/capture/console.ts'
import { type ConsoleSettings, type OpenedConsole, openConsole } from '../../src/capture/open-console.ts'
import { readPayload } from '../../src/capture/payload-text.ts'
import { captureSettings, identify } from './capture.ts'
import { readStat } from './service.ts'

export type Talk = { readonly out: string; readonly err: string; readonly ran: Ran }

/** Settings for a console, with the run directory of these tests. */
export async function consoleSettings(changes: Partial<ConsoleSettings> = {}): Promise<ConsoleSettings> {
  const payload = readPayload(new URL('../../src/payload/console', import.meta.url).pathname)
  return {
    ...(await captureSettings()),
    payload,
    paths: [],
    timeoutMs: 30_000,
    lockTimeoutMs: 20_000,
    ...changes,
  }
}

/** A console in a snapshot of a process, or the test fails with the reason. */
export async function consoleOf(pid: number, changes: Partial<ConsoleSettings> = {}): Promise<OpenedConsole> {
  const opened = await openConsole({ id: identify(pid) }, await consoleSettings(changes))
  assert.ok(opened.kind === 'opened', JSON.stringify(opened))
  return opened
}

/** Runs code there and collects what it writes. */
export async function say(
  { console }: OpenedConsole,
  code: string,
  mode: 'exec' | 'single' = 'exec',
): Promise<Talk> {
  const told = { out: '', err: '' }
  const ran = await console.run({ mode, filename: '<test>', text: Buffer.from(code) }, (stream, text) => {
    told[stream] += text
  })
  return { ...told, ran }
}

/** Pids of consoles in snapshots of a process, zombies left aside. The program is the same, and the name ours. */
export function consolesOf(pid: number): number[] {
  const program = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  return readdirSync('/proc')
    .filter(
      (name) => /^\d+ \(pyheap-shell-[0-9a-f]{2}\) [^Z]/.test(readStat(name)) && program === cmdlineOf(name),
    )
    .map(Number)
}

const cmdlineOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return '' // gone
  }
}

/** Waits until a process has no console any more. */
export async function awaitNoConsole(pid: number, withinMs: number): Promise<void> {
  for (const end = performance.now() + withinMs; consolesOf(pid).length > 0 && performance.now() < end;)
    await sleep(20)
  assert.deepEqual(consolesOf(pid), [])
}
