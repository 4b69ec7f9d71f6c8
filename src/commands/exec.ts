import { readFileSync, realpathSync } from 'node:fs'
import type { OnOutput, Ran, Source } from '../capture/console.ts'
import { showOutput } from './code-output.ts'
import { type CodeOptions, type CodeSession, openCodeSession } from './code-session.ts'
import { EXIT } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'

export type ExecOptions = CodeOptions & { readonly code?: string; readonly file?: string }

/** `pyheapctl exec PID`: runs Python in a snapshot of a process. */
export async function execCommand(
  pidText: string,
  options: ExecOptions,
  terminal: Terminal,
): Promise<number> {
  const source = readSource(options)
  if ('problem' in source) {
    terminal.err(source.problem)
    return EXIT.usage
  }
  const session = await openCodeSession(pidText, options, terminal)
  if (typeof session === 'number') return session
  const stopListening = interruptOnce(session)
  try {
    return options.json === true
      ? await runForData(session, source, terminal)
      : tell(await session.run(source, showOutput), session, terminal)
  } finally {
    stopListening()
    await session.close()
  }
}

function readSource({ code, file }: ExecOptions): Source | { readonly problem: string } {
  if ((code === undefined) === (file === undefined)) return { problem: 'give either -c CODE or -f FILE' }
  if (code !== undefined) return { mode: 'exec', filename: '<string>', text: Buffer.from(code) }
  try {
    return file === '-'
      ? { mode: 'exec', filename: '<stdin>', text: readFileSync(0) }
      : { mode: 'exec', filename: realpathSync(file ?? ''), text: readFileSync(file ?? '') }
  } catch (error) {
    return { problem: `cannot read ${file}: ${error instanceof Error ? error.message : String(error)}` }
  }
}

/** The first Ctrl-C interrupts the code, which tells its traceback; the next one ends everything, snapshot included. */
function interruptOnce(session: CodeSession): () => void {
  const listener = (): void => session.interrupt()
  process.once('SIGINT', listener)
  return () => process.removeListener('SIGINT', listener)
}

async function runForData(session: CodeSession, source: Source, terminal: Terminal): Promise<number> {
  const pieces: string[] = []
  const collect: OnOutput = (_stream, text) => pieces.push(text)
  const ran = await session.run(source, collect)
  const data = {
    output: pieces.join(''),
    ...(ran.kind === 'gone' ? { failed: ran.why } : {}),
    ...('error' in ran && ran.error !== '' ? { error: ran.error } : {}),
    ...('isCut' in ran && ran.isCut ? { output_cut: true } : {}),
    pause_ms: session.pauseMs,
    method: session.method,
  }
  terminal.out(JSON.stringify(data))
  return exitCodeOf(ran)
}

function tell(ran: Ran, session: CodeSession, terminal: Terminal): number {
  if (ran.kind === 'gone')
    terminal.err(session.isLive ? ran.why : `${ran.why}; the process itself is unharmed`)
  else if (ran.error !== '') showOutput('err', ran.error)
  if (ran.kind !== 'gone' && ran.isCut) terminal.err('the output is not complete: it was cut, being too long')
  return exitCodeOf(ran)
}

function exitCodeOf(ran: Ran): number {
  switch (ran.kind) {
    case 'finished':
    case 'left':
      return EXIT.ok
    case 'raised':
    case 'failed':
      return EXIT.raised
    case 'incomplete':
      return EXIT.bug
    case 'gone':
      return EXIT.captureFailed
    default:
      return ran satisfies never
  }
}
