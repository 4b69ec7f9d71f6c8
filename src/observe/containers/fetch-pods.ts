import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { explainRequestError, explainStatus } from './explain-refusal.ts'

/** Where pods are asked for. */
export type PodsPlace = {
  readonly url: string
  /** Read anew for each request: the kubelet replaces it within the hour. */
  readonly tokenFile: string
  readonly caFile: string
  /** Whether it is what the config says by itself; then what the system trusts will do. */
  readonly isCaOptional: boolean
}

export type Fetched =
  | { readonly kind: 'fetched'; readonly text: string }
  /** And what to do about it. */
  | { readonly kind: 'failed'; readonly detail: string; readonly hint: string }

export const MOST_BYTES = 32 * 1024 * 1024
const TIMEOUT_MS = 5000

/** Asks once. Whoever answers is checked; no redirect is followed, for the token is meant for nobody else. */
export async function fetchPods(
  place: PodsPlace,
  signal: AbortSignal,
  timeoutMs = TIMEOUT_MS,
): Promise<Fetched> {
  const token = await readToken(place.tokenFile)
  if (typeof token !== 'string') return token
  const ca = await readFile(place.caFile, 'utf8').catch((error: NodeJS.ErrnoException) => error)
  if (typeof ca !== 'string' && !(place.isCaOptional && ca.code === 'ENOENT'))
    return failed(`${place.caFile} cannot be read: ${ca.code ?? ca.message}`, 'see kubernetes.ca_file')
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const response = await ask(place.url, {
      ...(typeof ca === 'string' && { ca }),
      headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
      agent: false,
      signal: AbortSignal.any([signal, timeout]),
    })
    const { statusCode = 0 } = response
    if (statusCode !== 200) {
      response.destroy()
      return { kind: 'failed', ...explainStatus(statusCode, place.url) }
    }
    const text = await readBounded(response)
    return text === undefined
      ? failed(
          `the answer has more than ${MOST_BYTES / 1024 / 1024} MiB`,
          'ask for the pods of this node alone: ?fieldSelector=spec.nodeName%3D{node}',
        )
      : { kind: 'fetched', text }
  } catch (error) {
    if (timeout.aborted) return failed(`no answer within ${timeoutMs / 1000} s`, 'see kubernetes.pods_url')
    return {
      kind: 'failed',
      ...explainRequestError(error as NodeJS.ErrnoException, place, typeof ca === 'string'),
    }
  }
}

const failed = (detail: string, hint: string): Fetched => ({ kind: 'failed', detail, hint })

async function readToken(file: string): Promise<string | Fetched> {
  try {
    const token = (await readFile(file, 'latin1')).trim()
    // What does not fit into a header would be an error of its own.
    if (/^[\x21-\x7e]{1,16384}$/.test(token)) return token
    return failed(`${file} holds no token`, 'see kubernetes.token_file')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return failed(
      `${file} cannot be read: ${code ?? message}`,
      'run with a service account, or write its token into a file and name it in kubernetes.token_file',
    )
  }
}

const ask = (url: string, options: Parameters<typeof request>[1]): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    request(url, options, resolve).on('error', reject).end()
  })

async function readBounded(response: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > MOST_BYTES) return undefined
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}
