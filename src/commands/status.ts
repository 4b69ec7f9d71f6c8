import { parseDuration } from '../config/units.ts'
import { type DaemonStatus, renderStatus } from '../report/daemon-status.ts'
import { formatDuration } from '../report/format.ts'
import { askDaemon, type DaemonAnswer } from './daemon-client.ts'
import { EXIT } from './exit-codes.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import { styleOf, type Terminal } from './terminal.ts'

type Answer = Extract<DaemonAnswer, { readonly kind: 'answered' }>

/** `pyheapctl status`: how the running daemon is doing. */
export const statusCommand = (options: CommonOptions, terminal: Terminal): Promise<number> =>
  ask(['GET', '/status'], options, terminal, ({ body }) => {
    if (options.json === true) terminal.out(JSON.stringify(body, null, 1))
    else terminal.out(renderStatus(body as unknown as DaemonStatus, Date.now(), styleOf(terminal)))
    return EXIT.ok
  })

/** `pyheapctl pause`: no rule captures for a while. */
export async function pauseCommand(
  time: string,
  options: CommonOptions,
  terminal: Terminal,
): Promise<number> {
  const parsed = parseDuration(time)
  if (parsed.kind === 'invalid' || parsed.value === 0) {
    terminal.err(parsed.kind === 'invalid' ? parsed.message : 'pause for how long? 30m, 2h ...')
    return EXIT.usage
  }
  return ask(['POST', '/pause', { for_ms: parsed.value }], options, terminal, ({ body }) => {
    if (options.json === true) terminal.out(JSON.stringify(body))
    else terminal.out(`rules are paused for ${formatDuration(parsed.value)}; pyheapctl resume ends that`)
    return EXIT.ok
  })
}

/** `pyheapctl resume`: rules capture again. */
export const resumeCommand = (options: CommonOptions, terminal: Terminal): Promise<number> =>
  ask(['POST', '/resume'], options, terminal, ({ body }) => {
    if (options.json === true) terminal.out(JSON.stringify(body))
    else terminal.out('rules are no longer paused')
    return EXIT.ok
  })

/** `pyheapctl reload`: the daemon reads its configuration anew; what is wrong with that is told here. */
export const reloadCommand = (options: CommonOptions, terminal: Terminal): Promise<number> =>
  ask(['POST', '/reload'], options, terminal, ({ status, body }) => {
    if (options.json === true) terminal.out(JSON.stringify(body, null, 1))
    else if (status === 200) terminal.out('the configuration is reloaded')
    if (status === 200) return EXIT.ok
    const { detail, problems } = body
    if (options.json !== true) {
      const lines = Array.isArray(problems) ? problems.map(String) : []
      terminal.err([...lines, String(detail)].join('\n'))
    }
    return EXIT.config
  })

/** Asks the daemon of this configuration; without one says so. */
async function ask(
  [method, path, body]: readonly ['GET' | 'POST', string, object?],
  options: CommonOptions,
  terminal: Terminal,
  tell: (answer: Answer) => number,
): Promise<number> {
  const settings = await readSettings(options, terminal)
  if (!settings) return EXIT.config
  const answer = await askDaemon(settings.socket, method, path, body)
  if (answer.kind === 'answered') return tell(answer)
  terminal.err(answer.detail)
  return EXIT.noDaemon
}
