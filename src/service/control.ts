import { chmodSync, chownSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { z } from 'zod'
import { CAPTURE_KINDS, type CaptureKind } from '../model.ts'

/** What may be asked of a running daemon, by whoever may open its socket. */
export type ControlActions = {
  readonly status: () => unknown
  readonly metrics: () => Promise<string>
  readonly explain: (pid: number) => ControlAnswer
  readonly capture: (pid: number, kinds: readonly CaptureKind[]) => Promise<ControlAnswer>
  /** The largest process of a pod, which is about to end. */
  readonly guardPod: (uid: string) => Promise<ControlAnswer>
  readonly pause: (forMs: number) => void
  readonly reload: () => Promise<ControlAnswer>
}

/** With a code of HTTP; what is wrong is `{ reason, detail, hint? }`. */
export type ControlAnswer = { readonly status: number; readonly body: unknown }

export type ControlSocket =
  | { readonly kind: 'listening'; readonly close: () => void }
  | { readonly kind: 'failed'; readonly detail: string }

const MOST_BODY_BYTES = 16_384
const LONGEST_PAUSE_MS = 30 * 86_400_000

const captureSchema = z.strictObject({
  pid: z.int().min(1).max(4_194_304),
  // A core has the values of the service: that is for root, by `pyheapctl capture`.
  with: z
    .array(z.enum(CAPTURE_KINDS.filter((kind) => kind !== 'core')))
    .min(1)
    .max(CAPTURE_KINDS.length)
    .default(['census', 'stacks']),
})
const guardSchema = z.strictObject({ pod: z.string().regex(/^[\w-]{8,64}$/) })
const pauseSchema = z.strictObject({ for_ms: z.int().min(1).max(LONGEST_PAUSE_MS) })

/**
 * Answers HTTP on a socket in the file system, for root and the group `gid`: who may open it is all the access control
 * there is. A socket that a killed daemon has left is taken over; that of a living one is not.
 */
export async function openControl(
  path: string,
  gid: number | undefined,
  actions: ControlActions,
): Promise<ControlSocket> {
  try {
    prepareFolder(dirname(path), gid)
    if (await isAnswered(path)) return { kind: 'failed', detail: 'another daemon answers there' }
    rmSync(path, { force: true })
    const server = createServer((request, response) => void serve(request, response, actions))
    server.maxConnections = 32
    server.requestTimeout = 30_000
    await listen(server, path)
    if (gid !== undefined) chownSync(path, process.getuid?.() ?? 0, gid)
    chmodSync(path, 0o660)
    return { kind: 'listening', close: () => closeAll(server, path) }
  } catch (error) {
    return { kind: 'failed', detail: (error as Error).message }
  }
}

/** Nobody else may put a socket of his own there. */
function prepareFolder(folder: string, gid: number | undefined): void {
  mkdirSync(folder, { recursive: true, mode: 0o750 })
  const { uid, mode } = lstatSync(folder)
  if (uid !== process.getuid?.()) throw new Error(`${folder} is not ours`)
  if ((mode & 0o022) !== 0) throw new Error(`${folder} can be written by others`)
  if (gid === undefined) return
  chownSync(folder, uid, gid)
  chmodSync(folder, 0o750)
}

const isAnswered = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path)
    const end = (is: boolean): void => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', () => end(true)).once('error', () => end(false))
  })

async function listen(server: Server, path: string): Promise<void> {
  // Until its mode is set nobody but we may open it.
  const before = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
  } finally {
    process.umask(before)
  }
}

function closeAll(server: Server, path: string): void {
  server.close()
  server.closeAllConnections()
  rmSync(path, { force: true })
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  actions: ControlActions,
): Promise<void> {
  try {
    const text = await readBody(request)
    const { status, body } =
      text === undefined
        ? fault(413, 'too-large', 'the request is too large')
        : await answer(request, text, actions)
    const isText = typeof body === 'string'
    const content = isText ? body : `${JSON.stringify(body, null, 1)}\n`
    response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json' }).end(content)
  } catch (error) {
    if (!response.headersSent) response.writeHead(500)
    response.end(JSON.stringify({ reason: 'defect', detail: String(error) }))
  }
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > MOST_BODY_BYTES) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

const fault = (status: number, reason: string, detail: string): ControlAnswer => ({
  status,
  body: { reason, detail },
})

async function answer(
  { method, url = '' }: IncomingMessage,
  text: string,
  actions: ControlActions,
): Promise<ControlAnswer> {
  const { pathname, searchParams } = new URL(url, 'http://daemon')
  switch (`${method} ${pathname}`) {
    case 'GET /status':
      return { status: 200, body: actions.status() }
    case 'GET /metrics':
      return { status: 200, body: await actions.metrics() }
    case 'GET /explain': {
      const pid = Number(searchParams.get('pid'))
      return Number.isInteger(pid) && pid > 0
        ? actions.explain(pid)
        : fault(400, 'malformed', 'pid is missing')
    }
    case 'POST /capture':
      return withBody(text, captureSchema, ({ pid, with: kinds }) => actions.capture(pid, kinds))
    case 'POST /guard':
      return withBody(text, guardSchema, ({ pod }) => actions.guardPod(pod))
    case 'POST /pause':
      return withBody(text, pauseSchema, ({ for_ms: forMs }) => paused(actions, forMs))
    case 'POST /resume':
      return paused(actions, 0)
    case 'POST /reload':
      return actions.reload()
    default:
      return fault(
        404,
        'unknown',
        'GET /status, /metrics, /explain?pid=; POST /capture, /guard, /pause, /resume, /reload',
      )
  }
}

const paused = (actions: ControlActions, forMs: number): ControlAnswer => {
  actions.pause(forMs)
  return { status: 200, body: { paused_for_ms: forMs } }
}

async function withBody<T>(
  text: string,
  schema: z.ZodType<T>,
  act: (body: T) => ControlAnswer | Promise<ControlAnswer>,
): Promise<ControlAnswer> {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return fault(400, 'malformed', 'the body is no JSON')
  }
  const parsed = schema.safeParse(body)
  if (parsed.success) return act(parsed.data)
  const [issue] = parsed.error.issues
  return fault(400, 'malformed', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
}
