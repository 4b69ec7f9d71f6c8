import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

const TIMEOUT_MS = 10_000
const MOST_SECRET_BYTES = 8192

/** A POST over HTTP. */
export type Post = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | FormData
}

/** Why it was not taken, if it was not. Who is down, or has no time, is asked again after each of these pauses. */
export async function sendPatiently(
  post: Post,
  signal: AbortSignal,
  pausesMs: readonly number[] = [5000, 5000],
): Promise<string | undefined> {
  for (const pauseMs of [...pausesMs, undefined]) {
    const sent = await send(post, signal)
    if (sent.kind === 'taken') return undefined
    if (!sent.mayHelpLater || pauseMs === undefined || signal.aborted) return sent.detail
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
  }
  return undefined
}

/** What a file holds that has a secret in one line. */
export const readSecret = (file: string): Promise<string | Error> =>
  readFile(file, 'utf8').then(
    (text) =>
      text.length > MOST_SECRET_BYTES ? new Error(`${file} is too large for a secret`) : text.trim(),
    (error: Error) => error,
  )

type Sent =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly detail: string; readonly mayHelpLater: boolean }

async function send({ url, headers, body }: Post, signal: AbortSignal): Promise<Sent> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body,
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
