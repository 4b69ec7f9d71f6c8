import { chmodSync, chownSync, existsSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { dirname } from 'node:path'

/**
 * Serves systemd-oomd's pre-kill hook (systemd 260 and later, `PrekillHookTimeoutSec=`): it tells the cgroup that it is
 * about to kill, and kills when we have answered or its time is up. Varlink: JSON messages that end in a NUL.
 */
export function servePrekill(
  { path, gid }: { readonly path: string; readonly gid: number | undefined },
  capture: (cgroup: string) => Promise<void>,
  tell: (problem: string) => void,
): { readonly close: () => void } {
  // The directory is systemd-oomd's, or our tmpfiles': without it nobody would call.
  if (!existsSync(dirname(path))) return { close: () => undefined }
  const server = createServer((socket) => {
    socket.setTimeout(IDLE_MS, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    readMessages(socket, (message) => answer(message, capture))
  })
  server.maxConnections = 8
  server.on('error', (error) => tell(`systemd-oomd cannot call: ${error.message}`))
  try {
    rmSync(path, { force: true })
  } catch (error) {
    tell(`systemd-oomd cannot call: ${(error as Error).message}`)
    return { close: () => undefined }
  }
  const before = process.umask(0o177)
  server.listen(path, () => {
    // systemd-oomd has a user and a group of its own.
    if (gid !== undefined) chownSync(path, process.getuid?.() ?? 0, gid)
    chmodSync(path, gid === undefined ? 0o600 : 0o660)
  })
  process.umask(before)
  server.unref()
  return {
    close: () => {
      server.close()
      rmSync(path, { force: true })
    },
  }
}

const IDLE_MS = 120_000
const MOST_BYTES = 65_536

/** One reply to one message, in their order. */
function readMessages(socket: Socket, reply: (message: string) => Promise<string>): void {
  let rest = ''
  let work = Promise.resolve()
  socket.setEncoding('utf8')
  socket.on('data', (part: string) => {
    const messages = `${rest}${part}`.split('\0')
    rest = messages.pop() ?? ''
    const isTooMuch = rest.length > MOST_BYTES || messages.length > 16
    if (isTooMuch) socket.destroy()
    for (const message of isTooMuch ? [] : messages)
      work = work.then(async () => {
        const text = await reply(message)
        if (socket.writable) socket.write(`${text}\0`)
      })
  })
}

const INTERFACE = 'io.systemd.oom.Prekill'

async function answer(message: string, capture: (cgroup: string) => Promise<void>): Promise<string> {
  const { method, cgroup } = parse(message)
  switch (method) {
    case `${INTERFACE}.Notify`:
      if (cgroup === undefined || !cgroup.startsWith('/'))
        return fault('org.varlink.service.InvalidParameter', { parameter: 'cgroup' })
      await capture(cgroup)
      return JSON.stringify({ parameters: {} })
    case 'org.varlink.service.GetInfo':
      return JSON.stringify({
        parameters: {
          vendor: 'pyheap-watchd',
          product: 'pyheap-watchd',
          version: '1',
          url: '',
          interfaces: ['org.varlink.service', INTERFACE],
        },
      })
    case undefined:
      return fault('org.varlink.service.InvalidParameter', { parameter: 'method' })
    default:
      return fault('org.varlink.service.MethodNotFound', { method })
  }
}

function parse(message: string): { readonly method?: string; readonly cgroup?: string } {
  try {
    const { method, parameters } = JSON.parse(message) as {
      method?: unknown
      parameters?: { cgroup?: unknown }
    }
    const cgroup = parameters?.cgroup
    return {
      ...(typeof method === 'string' && { method: method.slice(0, 200) }),
      ...(typeof cgroup === 'string' && { cgroup: cgroup.slice(0, 4096) }),
    }
  } catch {
    return {}
  }
}

const fault = (error: string, parameters: object): string => JSON.stringify({ error, parameters })
