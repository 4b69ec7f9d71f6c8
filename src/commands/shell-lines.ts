import { createInterface, type Interface } from 'node:readline'
import { type History, openHistory } from './shell-history.ts'

export type Line =
  { readonly kind: 'line'; readonly text: string } | { readonly kind: 'cancelled' } | { readonly kind: 'end' }

/** Where an operator's lines come from: a terminal with history and completion, or a pipe. */
export type LineSource = {
  readonly isInteractive: boolean
  readonly next: (prompt: string) => Promise<Line>
  /** Who is told of Ctrl-C while code runs; nobody between two runs, where it gives up what was typed. */
  readonly onInterrupt: (listener: (() => void) | undefined) => void
  readonly close: () => void
}

type Completer = { readonly complete: (text: string) => Promise<readonly string[]> }

/** Opens standard input for a shell. */
export function openLines(completer: Completer): LineSource {
  const isInteractive = process.stdin.isTTY && process.stdout.isTTY
  const history = isInteractive ? openHistory(process.env) : undefined
  const queue: Line[] = []
  let wake: () => void = () => undefined
  let hasClosed = false
  let interrupt: (() => void) | undefined
  const add = (line: Line): void => {
    queue.push(line)
    wake()
  }
  const readline = isInteractive
    ? createInterface(terminalOptions(completer, history, () => interrupt !== undefined))
    : createInterface({ input: process.stdin, terminal: false })
  const onCtrlC = (): void => {
    if (interrupt) interrupt()
    else if (isInteractive) {
      cancelLine(readline)
      add({ kind: 'cancelled' })
    } else process.exit(130)
  }
  let typed = history?.lines ?? []
  readline.on('history', (lines: string[]) => (typed = lines))
  readline.on('line', (text) => add({ kind: 'line', text }))
  readline.on('close', () => {
    if (isInteractive && !hasClosed) process.stdout.write('\n')
    add({ kind: 'end' })
  })
  readline.on('SIGINT', onCtrlC)
  if (!isInteractive) process.on('SIGINT', onCtrlC)
  return {
    isInteractive,
    next: async (prompt) => {
      if (isInteractive && queue.length === 0) {
        readline.setPrompt(prompt)
        readline.prompt()
      }
      while (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      return queue.shift() ?? { kind: 'end' }
    },
    onInterrupt: (listener) => {
      interrupt = listener
    },
    close: () => {
      hasClosed = true
      process.removeListener('SIGINT', onCtrlC)
      history?.save(typed)
      readline.close()
    },
  }
}

const terminalOptions = (completer: Completer, history: History | undefined, isBusy: () => boolean) => ({
  input: process.stdin,
  output: process.stdout,
  terminal: true,
  history: history?.lines ?? [],
  historySize: 1000,
  removeHistoryDuplicates: true,
  completer: (line: string, answer: (error: Error | null, result: [string[], string]) => void) => {
    const [name = ''] = /[\p{L}\p{N}_.]*$/u.exec(line) ?? []
    // At the beginning of a line Tab indents. Code that runs cannot be asked.
    if (line.trim() === '') answer(null, [['    '], ''])
    else if (name === '' || isBusy()) answer(null, [[], name])
    else
      completer.complete(name).then(
        (names) => answer(null, [[...names], name]),
        () => answer(null, [[], name]),
      )
  },
})

function cancelLine(readline: Interface): void {
  process.stdout.write('\n')
  readline.write(null, { ctrl: true, name: 'e' })
  readline.write(null, { ctrl: true, name: 'u' })
}
