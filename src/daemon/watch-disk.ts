import { statfs } from 'node:fs/promises'
import type { Config } from '../config/config.ts'
import { DUMP_ESTIMATE_BYTES } from '../dump-stages.ts'
import type { Hub } from './hub.ts'

const DISK_MS = 60_000

/** Looks at the store's disk every minute. */
export function watchDisk(hub: Hub, configOf: () => Config): () => void {
  const look = async (): Promise<void> => {
    const { dir, reserveBytes } = configOf().store
    const fs = await statfs(dir).catch(() => undefined)
    if (!fs) return // told by the self-check, and by every dump
    const freeBytes = fs.bavail * fs.bsize
    const isLow = freeBytes < reserveBytes + DUMP_ESTIMATE_BYTES
    const wasLow = hub.state().disk?.isLow ?? false
    hub.tell({ kind: 'disk', dir, freeBytes, isLow, isNews: isLow !== wasLow })
  }
  void look()
  const timer = setInterval(() => void look(), DISK_MS).unref()
  return () => clearInterval(timer)
}
