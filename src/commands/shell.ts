import { basename } from 'node:path'
import { formatDuration } from '../report/format.ts'
import { visible } from '../report/visible.ts'
import type { Ran } from '../capture/console.ts'
import { showOutput } from './code-output.ts'
import { type CodeOptions, type CodeSession, openCodeSession } from './code-session.ts'
import { EXIT } from './exit-codes.ts'
import { type LineSource, openLines } from './shell-lines.ts'
import { type Terminal, styleOf } from './terminal.ts'

const LEAVING = new Set(['exit', 'quit'])
const FILENAME = '<shell>'

/** `pyheapctl shell PID`: interactive Python in a snapshot of a process. */
export async function shellCommand(
  pidText: string,
  options: CodeOptions,
  terminal: Terminal,
): Promise<number> {
  const session = await openCodeSession(pidText, options, terminal)
  if (typeof session === 'number') return session
  const lines = openLines(session)
  try {
    if (lines.isInteractive) terminal.err(banner(session, options.timeout))
    return await converse(session, lines, terminal)
  } finally {
    lines.close()
    await session.close()
  }
}

/** Statement after statement, until the operator leaves or the snapshot is gone. */
async function converse(session: CodeSession, lines: LineSource, terminal: Terminal): Promise<number> {
  const { palette } = styleOf(terminal)
  const prompts = { first: palette.green('>>> '), more: palette.green('... ') }
  let block: readonly string[] = []
  for (;;) {
    const line = await lines.next(block.length === 0 ? prompts.first : prompts.more)
    if (line.kind === 'cancelled') {
      block = []
      continue
    }
    if (line.kind === 'end' && block.length === 0) return EXIT.ok
    const isLeaving = line.kind === 'line' && block.length === 0 && LEAVING.has(line.text.trim())
    if (isLeaving) return EXIT.ok
    // A block that the end of the input cuts off is complete: an empty line would have ended it.
    block = [...block, line.kind === 'line' ? line.text : '', ...(line.kind === 'end' ? [''] : [])]
    const ran = await run(session, block, lines)
    const code = tell(ran, session, terminal)
    if (code !== undefined) return code
    if (line.kind === 'end') return EXIT.ok
    if (ran.kind !== 'incomplete') block = []
  }
}

async function run(session: CodeSession, block: readonly string[], lines: LineSource): Promise<Ran> {
  lines.onInterrupt(() => session.interrupt())
  try {
    const text = Buffer.from(block.join('\n'))
    return await session.run({ mode: 'single', filename: FILENAME, text }, showOutput)
  } finally {
    lines.onInterrupt(undefined)
  }
}

/** The exit code when that was the end of the session. */
function tell(ran: Ran, { isLive }: CodeSession, terminal: Terminal): number | undefined {
  switch (ran.kind) {
    case 'gone':
      terminal.err(isLive ? ran.why : `${ran.why}; the process itself is unharmed`)
      return EXIT.captureFailed
    case 'left':
      return EXIT.ok
    case 'failed':
      showOutput('err', ran.error)
      return EXIT.raised
    case 'raised':
    case 'finished':
    case 'incomplete':
      if (ran.error !== '') showOutput('err', ran.error)
      return undefined
    default:
      return ran satisfies never
  }
}

function banner(session: CodeSession, timeout: string): string {
  const { pid, cmdline, pythonVersion, takenAt, pauseMs } = session
  const [program = ''] = cmdline
  const name = visible([basename(program), ...cmdline.slice(1)].join(' '), 60)
  if (session.isLive)
    return [
      `Python ${visible(pythonVersion, 40)} in process ${pid} (${name}) itself.`,
      'What you do here, you do to the service: it waits for every statement, on a thread of its own.',
      'main is its __main__. Ctrl-C does not reach a running statement; Ctrl-D or exit leaves.',
    ].join('\n')
  return [
    `Python ${visible(pythonVersion, 40)} in a snapshot of process ${pid} (${name})`,
    `taken at ${takenAt.toISOString()}; the process stood still for ${formatDuration(pauseMs)} and runs on.`,
    'Nothing done here reaches it: look, change, call what you like. Files can be read, not written; no sockets.',
    'main is its __main__; import what it has loaded; frames has the variables of its threads. gc is off.',
    `Ctrl-C interrupts, Tab completes, Ctrl-D or exit leaves; idle for ${timeout} ends it.`,
  ].join('\n')
}
