import type { Config } from '../config/config.ts'
import type { CaptureKind } from '../model.ts'
import { formatDuration } from '../report/format.ts'
import { askDaemon } from './daemon-client.ts'
import { EXIT } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'

type Asking = { readonly config: Config; readonly isJson: boolean; readonly terminal: Terminal }

/** A capture for who is not root, and may speak to the daemon: of processes that it watches, and never with values. */
export async function captureByDaemon(
  pid: number,
  kinds: readonly CaptureKind[],
  { config, isJson, terminal }: Asking,
): Promise<number> {
  terminal.progress(`asking the daemon to capture process ${pid} …`)
  const answer = await askDaemon(config.socket, 'POST', '/capture', { pid, with: kinds })
  if (answer.kind === 'no-daemon') {
    terminal.err(
      `only root may snapshot other processes, and members of the group pyheap ask the daemon for it: ${answer.detail}`,
    )
    return EXIT.notRoot
  }
  const { dump, pause_ms: pauseMs, findings, detail, hint } = answer.body
  if (isJson) terminal.out(JSON.stringify(answer.body))
  if (answer.status !== 200) {
    if (!isJson) terminal.err([detail, hint].filter((part) => typeof part === 'string').join('\n'))
    if (answer.status === 404) return EXIT.notFound
    return answer.status === 507 ? EXIT.store : EXIT.captureFailed
  }
  if (isJson) return EXIT.ok
  const headline = (findings as { readonly headline?: unknown } | undefined)?.headline
  terminal.err(`the process stood still for ${formatDuration(Number(pauseMs))}`)
  terminal.out(`${String(dump)}\n${String(headline)}`)
  return EXIT.ok
}
