import { openBucket } from '../bucket/client.ts'
import { readCredentials } from '../bucket/credentials.ts'
import type { BucketFailed } from '../bucket/failure.ts'
import { sendDump } from '../bucket/send-dump.ts'
import type { Config } from '../config/config.ts'
import type { Log } from '../log.ts'
import { placeKey, type UnsentDump, type Upload } from '../model.ts'
import { storeAt } from '../store/place.ts'
import { dropSent } from '../store/sweep.ts'
import { listUnsent } from '../store/unsent-dumps.ts'
import { writeUploadRecord } from '../store/upload-record.ts'
import type { Hub } from './hub.ts'

/** Between two attempts while a place cannot be used: twice as long each time. */
const FIRST_PAUSE_MS = 2000
const LONGEST_PAUSE_MS = 5 * 60_000

/**
 * Sends finished dumps, oldest first and one at a time, beside the loop. What is not sent is found in the store again,
 * after a restart too, and goes on where it ended.
 */
export function createUploads(hub: Hub, log: Log, signal: AbortSignal) {
  let config: Config | undefined
  let isWanted = false
  let isBusy = false
  let failures = 0
  let pause: NodeJS.Timeout | undefined

  const work = async (): Promise<void> => {
    if (isBusy || pause !== undefined) return
    isBusy = true
    while (isWanted && !signal.aborted && config?.upload !== undefined) {
      isWanted = false
      const problem = await sendAll(config.store.dir, config.upload)
      failures = problem === undefined ? 0 : failures + 1
      if (problem !== undefined) {
        wait(problem.isPassing ? FIRST_PAUSE_MS * 2 ** (failures - 1) : LONGEST_PAUSE_MS)
        break
      }
    }
    isBusy = false
  }
  const wait = (ms: number): void => {
    pause = setTimeout(
      () => {
        pause = undefined
        kick()
      },
      Math.min(ms, LONGEST_PAUSE_MS),
    ).unref()
  }
  const kick = (): void => {
    isWanted = true
    void work().catch((error: unknown) => {
      isBusy = false
      log.error({ detail: String(error) }, 'cannot send dumps')
      wait(LONGEST_PAUSE_MS)
    })
  }

  /** Answers why the place cannot be used, if it cannot. */
  async function sendAll(storeDir: string, upload: Upload): Promise<BucketFailed | undefined> {
    const place = placeKey(upload)
    const unsent = await listUnsent(storeDir, place)
    let left = unsent.length
    const tell = (dump: UnsentDump, bytes: number, problem?: BucketFailed): void =>
      hub.tell({ kind: 'uploaded', dump: dump.id, place, bytes, left, problem })
    for (const dump of unsent) {
      const sent = await sendOne(dump, storeDir, upload)
      if (signal.aborted) return undefined
      if (sent.kind === 'failed') {
        tell(dump, 0, sent)
        if (sent.concerns === 'place') return sent
        // The others need not wait for one that is damaged; it is tried again with the next.
        continue
      }
      left--
      tell(dump, sent.bytes)
    }
    if (upload.deleteLocal && unsent.length > 0) {
      const { removed, problems } = await dropSent(storeDir, place, Date.now())
      for (const dump of removed) log.info(dump, 'removed a dump that was sent')
      for (const problem of problems) log.warn(problem, 'cannot remove')
    }
    return undefined
  }

  async function sendOne(dump: UnsentDump, storeDir: string, upload: Upload) {
    const credentials = await readCredentials(upload.credentialsFile, process.env)
    if (credentials instanceof Error) {
      const hint = 'give the daemon keys: upload.credentials_file'
      const detail = credentials.message
      return { kind: 'failed', detail, hint, isPassing: false, concerns: 'place' } as const
    }
    const bucket = openBucket(upload, credentials, { signal, bytesPerMs: upload.bytesPerMs })
    return sendDump(bucket, upload, dump, async (record) => {
      const problem = await writeUploadRecord(storeAt(storeDir), dump.path, record)
      if (problem) log.warn({ dump: dump.id, detail: problem.detail }, 'cannot note what was sent')
    })
  }

  let hasEnded = false
  hub.listen((event) => {
    if (event.kind === 'observed') hasEnded ||= (event.observation.endings ?? []).length > 0
    const isPublished =
      event.kind === 'finished' &&
      (event.outcome.kind === 'dumped' || event.outcome.kind === 'dumped-outside')
    // Between the two it is noted beside the dumps.
    const isNoted = event.kind === 'decided' && hasEnded
    if (isNoted) hasEnded = false
    if (isPublished || isNoted) kick()
  })
  return {
    use: (next: Config): void => {
      const isOther = JSON.stringify(next.upload) !== JSON.stringify(config?.upload)
      config = next
      if (!isOther || next.upload === undefined) return
      // What kept it from being sent may be what was changed.
      clearTimeout(pause)
      pause = undefined
      failures = 0
      kick()
    },
    close: (): void => clearTimeout(pause),
  }
}
