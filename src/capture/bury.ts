import { setTimeout as sleep } from 'node:timers/promises'
import { isPython } from './adopter.ts'
import { standingOfMain } from './main-stack.ts'
import { readStat } from './read-stat.ts'
import type { Cloned } from './request-snapshot.ts'
import type { Service } from './service.ts'
import { awaitExchange, sendThread, writeStub } from './stub-place.ts'
import type { Taken } from './take-snapshot.ts'
import { writeRecord } from './target-record.ts'

const GONE_WITHIN_MS = 2000
const REAPED_WITHIN_MS = 1000
const MAX_TRIES = 20

/**
 * Waits until the snapshot is gone. Where it ends as a child of the service, the service is made to take note of it,
 * without a word to its program; another Python process that had to is spared the next time.
 */
export async function bury(service: Service, { pid, startTicks, cloned }: Taken): Promise<void> {
  const { procRoot, id } = service
  for (let waited = 0; waited < GONE_WITHIN_MS; waited += 5) {
    const stat = readStat(procRoot, pid)
    if (stat?.startTicks !== startTicks) break
    if (stat.parentPid === id.pid && stat.state === 'Z') {
      await reap(service, cloned)
      break
    }
    noteAdopter(service, stat.parentPid)
    if (stat.state === 'Z') break // init takes note of it
    await sleep(5)
  }
  forgetSnapshot(service)
}

/** Lets a snapshot live on its own: no recovery from a crash of ours ends it any more. */
export function release(service: Service, { pid }: Taken): void {
  noteAdopter(service, readStat(service.procRoot, pid)?.parentPid ?? 0)
  forgetSnapshot(service)
}

function noteAdopter(service: Service, parentPid: number): void {
  const { procRoot, id } = service
  if (parentPid > 1 && parentPid !== id.pid && isPython(procRoot, parentPid))
    service.record = { ...service.record, isAdoptedByPython: true }
}

function forgetSnapshot(service: Service): void {
  const { snapshot: _gone, ...record } = service.record
  service.record = record
  writeRecord(service.runDir, record)
}

async function reap(service: Service, { innerPid, place }: Cloned): Promise<void> {
  const nothing = { innerPid: 0, alarmSeconds: 0, workspaceBytes: 0, codeBytes: 0, flags: 0, name: '' }
  if (await writeStub(service, place, { ...nothing, task: 'reap', reap: innerPid })) return
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const sent = await sendThread(service, place, standingOfMain(service))
    if (sent === true) {
      await awaitExchange(service, place, ({ left }) => left, REAPED_WITHIN_MS)
      return
    }
    if (sent !== false) return // it cannot be stopped any more; the next capture reaps nothing, the zombie is harmless
    await sleep(20)
  }
}
