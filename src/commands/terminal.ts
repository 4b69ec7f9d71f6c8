import { spawnSync } from 'node:child_process'
import { isatty } from 'node:tty'
import picocolors from 'picocolors'
import { EXIT } from './exit-codes.ts'
import type { TextStyle } from '../report/layout.ts'

/** Where a command talks: the answer to `out`, everything else to `err`. */
export type Terminal = {
  readonly out: (text: string) => void
  /** The same as `out`, through $PAGER on a terminal that it does not fit. */
  readonly page: (text: string) => void
  readonly err: (text: string) => void
  /** Colours for what goes to `out`; none in a pipe. */
  readonly colour: boolean
  readonly width: number
  /** Shows a line that the next one replaces; nothing in a pipe. */
  readonly progress: (text: string) => void
}

/** The terminal of this process. A reader that goes away, such as head, ends the program quietly. */
export function openTerminal(env: NodeJS.ProcessEnv): Terminal {
  const { stdout, stderr } = process
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') stderr.write(`cannot write the answer: ${error.message}\n`)
    process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.output)
  })
  const isPlain = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== ''
  const out = (text: string): void => void stdout.write(`${harmless(text.replace(/\n$/, ''))}\n`)
  return {
    page: (text) => {
      const isLong = stdout.isTTY && text.split('\n').length > stdout.rows
      if (!isLong || !wasPaged(harmless(text), env)) out(text)
    },
    out,
    err: (text) => stderr.write(`${stderr.isTTY ? CLEAR_LINE : ''}${harmless(text)}\n`),
    // Not isTTY, which is undefined in a pipe: whoever takes that for a default may find colours in it.
    colour: isatty(stdout.fd) && !isPlain,
    width: stdout.isTTY ? chooseWidth(stdout.columns) : 80,
    progress: (text) => {
      if (stderr.isTTY) stderr.write(`${CLEAR_LINE}${picocolors.dim(text)}`)
    },
  }
}

/** What steers a terminal or turns text around, from names that a service has chosen; our own colours stay. */
const STEERING = new RegExp(
  String.raw`\u001b(?!\[\d{1,2}m)|[\0-\u0009\u000b-\u001a\u001c-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]`,
  'g',
)
const harmless = (text: string): string =>
  text.replace(STEERING, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Whether there is a pager, and it took the text. An empty $PAGER is for nobody who wants one. */
function wasPaged(text: string, { PAGER: pager = 'less', ...env }: NodeJS.ProcessEnv): boolean {
  if (pager.trim() === '') return false
  // Of less: colours, and nothing of the screen is taken away.
  const { status, error } = spawnSync('/bin/sh', ['-c', pager], {
    input: text,
    stdio: ['pipe', 'inherit', 'inherit'],
    env: { LESS: 'FRX', ...env },
  })
  // 126 and 127: the shell could not start it. A reader that leaves early is none of our business.
  return (error === undefined || 'code' in error) && status !== 126 && status !== 127
}

const CLEAR_LINE = '\r\x1b[2K'

/** How to render for this terminal. */
export const styleOf = ({ colour, width }: Terminal): TextStyle => ({
  palette: picocolors.createColors(colour),
  width,
})

/** A terminal that does not know its width, as a serial console, says 0. */
const chooseWidth = (columns: number): number => (columns < 20 ? 80 : Math.min(columns, 200))
