import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { RunningService } from './service.ts'

/** A server that speaks S3 and checks signatures, with nothing in it yet. */
export type S3Server = {
  /** Without a bucket. */
  readonly endpoint: string
  readonly region: string
  readonly accessKey: string
  readonly secretKey: string
  /** Nobody listens any more: connections are refused, and those that are open break. */
  pause(): Promise<void>
  /** It answers again, at the same address and with what it had. */
  resume(): Promise<void>
  /** Ends it, and removes what it was sent. */
  stop(): Promise<void>
}

/**
 * Becomes the server, in one process from first to last, which dies with the one that has started it; what is mounted
 * goes with it. The Debian stays as it was made: it is read-only, but for what the server keeps.
 */
const START = `
  mount --bind "$0" "$0"
  mount -o remount,bind,ro "$0"
  mount --bind /proc "$0/proc"
  mount --bind "$1" "$0/srv"
  mount --bind "$1/etc" "$0/etc/swift"
  exec chroot "$0" python3 -I -c "$2" "$3"`
const program = readFileSync(new URL('s3-server.py', import.meta.url), 'utf8')

const debian = (): string =>
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'pyheap-watchd', 's3', 'root')

/** Why it cannot be started here, or false. */
export function whyNoS3(): string | false {
  if (process.getuid?.() !== 0) return 'needs root, to mount and chroot'
  return existsSync(debian()) ? false : 'there is no S3 server; run `sh test/setup/make-s3-server.sh`'
}

export async function startS3(): Promise<S3Server> {
  const problem = whyNoS3()
  if (problem !== false) throw new Error(problem)
  const data = mkdtempSync(join(tmpdir(), 'pyheap-s3-'))
  mkdirSync(join(data, 'etc'))
  const remove = (): void => rmSync(data, { recursive: true, force: true })
  let server = await serve(data, 0).catch((error: unknown) => {
    remove()
    throw error
  })
  const port = Number(/^listening on (\d+)$/m.exec(server.output)?.[1])
  return {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    accessKey: 'test:tester',
    secretKey: 'testing',
    pause: async () => {
      await server.stop()
    },
    resume: async () => {
      server = await serve(data, port)
    },
    stop: async () => {
      await server.stop()
      remove()
    },
  }
}

/** Listens on the port when this is answered; 0 takes any. */
async function serve(data: string, port: number): Promise<RunningService> {
  const enter = ['--pdeathsig', 'KILL', 'unshare', '--mount', 'sh', '-euc', START]
  const server = new RunningService('setpriv', [...enter, debian(), data, program, String(port)])
  try {
    await server.said('listening on', 60_000)
  } catch (error) {
    await server.stop()
    throw error
  }
  return server
}
