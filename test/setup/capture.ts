import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CaptureSettings, capture } from '../../src/capture/capture.ts'
import { createOpenGdb } from '../../src/capture/open-gdb.ts'
import { readPayload } from '../../src/capture/payload-text.ts'
import { readStub } from '../../src/capture/stub-file.ts'
import type { CaptureOutcome, ProcessId } from '../../src/model.ts'
import { readStat } from './service.ts'

const runDir = mkdtempSync(join(tmpdir(), 'pyheap-run-'))
process.on('exit', () => rmSync(runDir, { recursive: true, force: true }))

const src = (path: string): string => new URL(`../../src/${path}`, import.meta.url).pathname

/** What the daemon would use, with a run directory of its own. */
export async function captureSettings(changes: Partial<CaptureSettings> = {}): Promise<CaptureSettings> {
  return {
    procRoot: '/proc',
    runDir,
    stub: readStub(src('stub')),
    openGdb: createOpenGdb(20_000),
    payload: readPayload(src('payload')),
    kinds: ['census', 'stacks'],
    timeoutMs: 120_000,
    gdbTimeoutMs: 20_000,
    lockTimeoutMs: 0,
    maxRssBytes: 32 * 2 ** 30,
    hostReserveShare: 0.05,
    maxCopy: { kind: 'share', share: 1.5 },
    readLimits: () => [],
    onProgress: () => undefined,
    ...changes,
  }
}

export function identify(pid: number): ProcessId {
  const stat = readStat(pid)
  return {
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    pid,
    startTicks: Number(stat.slice(stat.lastIndexOf(') ') + 2).split(' ')[19]),
  }
}

export const captureProcess = async (pid: number, settings: CaptureSettings): Promise<CaptureOutcome> =>
  capture({ id: identify(pid) }, settings)
