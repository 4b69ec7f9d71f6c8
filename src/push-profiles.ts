import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Log } from './log.ts'
import type { ProfileStore } from './model.ts'
import { renderPprof } from './report/export/pprof.ts'
import { pushRequest, type PushRequest } from './report/export/push-request.ts'
import { readDump } from './store/read-dumps.ts'

const TIMEOUT_MS = 10_000
const TRIES = 3
const PAUSE_MS = 5000

const compress = promisify(gzip)

/**
 * Sends what a dump says of its owners to the profile stores, one after the other. The watch does not wait for it, and a
 * store that does not answer is told in the log.
 */
export async function pushProfiles(
  dumpPath: string,
  stores: readonly ProfileStore[],
  log: Pick<Log, 'info' | 'warn'>,
  signal: AbortSignal,
): Promise<void> {
  if (stores.length === 0) return
  const read = await readDump(dumpPath)
  const plain = read.kind === 'read' ? renderPprof(read.dump, 'owners') : undefined
  if (read.kind !== 'read' || plain === undefined) return
  const profile = await compress(plain)
  for (const store of stores) {
    const fields = { dump: read.dump.id, store: store.kind, url: store.url }
    const token = store.tokenFile === undefined ? undefined : await readToken(store.tokenFile)
    if (token instanceof Error) {
      log.warn({ ...fields, detail: token.message }, 'the profile was not pushed')
      continue
    }
    const request = pushRequest(store, read.dump.manifest, { profile, host: hostname(), token })
    const problem = await sendPatiently(request, signal)
    if (problem === undefined) log.info(fields, 'the profile was pushed')
    else log.warn({ ...fields, detail: problem }, 'the profile was not pushed')
  }
}

const readToken = (file: string): Promise<string | Error> =>
  readFile(file, 'utf8').then(
    (text) => text.trim(),
    (error: Error) => error,
  )

/** Why it was not taken, if it was not; a store that is down, or has no time, is asked again. */
async function sendPatiently(request: PushRequest, signal: AbortSignal): Promise<string | undefined> {
  let problem: string | undefined
  for (let n = 1; n <= TRIES; n++) {
    const sent = await send(request, signal)
    if (sent.kind === 'taken') return undefined
    problem = sent.detail
    if (!sent.mayHelpLater || n === TRIES || signal.aborted) break
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined)
  }
  return problem
}

type Sent =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly detail: string; readonly mayHelpLater: boolean }

async function send({ url, headers, body }: PushRequest, signal: AbortSignal): Promise<Sent> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body: body.kind === 'json' ? body.text : formOf(body),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    const text = (await response.text()).slice(0, 200)
    if (response.ok) return { kind: 'taken' }
    const mayHelpLater = response.status === 429 || response.status >= 500
    return { kind: 'refused', detail: `HTTP ${response.status}: ${text}`, mayHelpLater }
  } catch (error) {
    const { message, cause } = error as Error
    const detail = cause instanceof Error ? `${message}: ${cause.message}` : message
    return { kind: 'refused', detail, mayHelpLater: true }
  }
}

function formOf({ fields, profile }: Extract<PushRequest['body'], { kind: 'form' }>): FormData {
  const form = new FormData()
  form.append('profile', new Blob([profile]), 'profile.pprof')
  for (const [name, value] of Object.entries(fields)) form.append(name, new Blob([value]), `${name}.json`)
  return form
}
