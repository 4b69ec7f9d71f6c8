import { request } from 'node:http'

/** What a running daemon answers, or that there is none to ask. */
export type DaemonAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: 'no-daemon'; readonly detail: string }

const MOST_BYTES = 64 * 2 ** 20

/** Asks the daemon that listens on a socket; a capture may take minutes. */
export function askDaemon(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<DaemonAnswer> {
  return new Promise((resolve) => {
    const fail = (detail: string): void => resolve({ kind: 'no-daemon', detail })
    const call = request({ socketPath, method, path }, (response) => {
      const parts: Buffer[] = []
      let size = 0
      response.on('data', (part: Buffer) => {
        size += part.length
        if (size > MOST_BYTES) call.destroy(new Error('the answer is too large'))
        parts.push(part)
      })
      response.on('end', () => {
        const { statusCode: status = 500 } = response
        const parsed = parse(Buffer.concat(parts).toString('utf8'))
        if (parsed === undefined) fail('the answer is no JSON')
        else resolve({ kind: 'answered', status, body: parsed })
      })
    })
    call.on('error', (error: NodeJS.ErrnoException) => fail(explain(error, socketPath)))
    call.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function explain({ code, message }: NodeJS.ErrnoException, socketPath: string): string {
  if (code === 'ENOENT' || code === 'ECONNREFUSED')
    return `no daemon answers on ${socketPath}: is it running? (systemctl status pyheap-watchd)`
  return code === 'EACCES'
    ? `${socketPath} is for root and members of the group pyheap: try sudo`
    : `the daemon did not answer on ${socketPath}: ${message}`
}
