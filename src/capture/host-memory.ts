import { readFileSync } from 'node:fs'
import type { CaptureFailed } from '../model.ts'
import type { GateFacts } from './gate.ts'

/** How much of the host's memory a capture may take. */
export type HostMemoryLimits = {
  readonly procRoot: string
  /** Share of the host's memory that has to stay available. */
  readonly hostReserveShare: number
}

/** The first table of the census copies about a quarter of the small objects' pages (measured on 3.8 to 3.13). */
const LEAST_COPY_SHARE = 0.25
/** Why a snapshot must not be begun now, if the host is too short of memory for what it will copy. */
export function refuseMemory(facts: GateFacts, settings: HostMemoryLimits): CaptureFailed | undefined {
  const { availableBytes, totalBytes } = readHostMemory(settings.procRoot)
  const needed = facts.anonBytes * LEAST_COPY_SHARE + totalBytes * settings.hostReserveShare
  if (availableBytes >= needed) return undefined
  return {
    kind: 'failed',
    reason: 'not-enough-memory',
    detail: `the host has ${availableBytes} bytes available, the snapshot may need ${Math.round(needed)}`,
    hint: 'lower capture.host_reserve, or a threshold, so that captures are taken earlier',
  }
}

/** Why a snapshot must be ended now, if the host has run short since. */
export function hostIsShort({ procRoot, hostReserveShare }: HostMemoryLimits): string | undefined {
  const { availableBytes, totalBytes } = readHostMemory(procRoot)
  return availableBytes < (totalBytes * hostReserveShare) / 2
    ? 'the host ran short of memory, so the snapshot was ended'
    : undefined
}

function readHostMemory(procRoot: string): { availableBytes: number; totalBytes: number } {
  const text = readFileSync(`${procRoot}/meminfo`, 'latin1')
  const field = (name: string): number =>
    Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)?.[1] ?? 0) * 1024
  return { availableBytes: field('MemAvailable'), totalBytes: field('MemTotal') }
}
