import { onLines } from './lines.ts'
import { parseProbeLine } from './parse-probe-line.ts'
import type { Probe } from './probe.ts'
import { endBpftrace, lastComplaint, spawnBpftrace } from './spawn-bpftrace.ts'

/** A program for bpftrace and its arguments. */
export type ProbeProgram = { readonly file: string; readonly parameters: readonly number[] }

/** bpftrace on a program. */
export const bpftraceProbe =
  (program: ProbeProgram): Probe =>
  (onEvent, onEnd) => {
    const child = spawnBpftrace(argumentsOf(program))
    let wasAttached = false
    let complaints = ''
    let isOver = false
    const end = (detail: string): void => {
      if (isOver) return
      isOver = true
      clearTimeout(attaching)
      onEnd({ wasAttached, detail })
    }
    const attaching = setTimeout(() => {
      end(`not attached within ${ATTACHES_WITHIN_MS / 1000} s`)
      endBpftrace(child)
    }, ATTACHES_WITHIN_MS)
    onLines(child.stdout, (line) => {
      const event = isOver ? undefined : parseProbeLine(line)
      if (event?.kind === 'attached') {
        wasAttached = true
        clearTimeout(attaching)
      }
      if (event !== undefined) onEvent(event)
    })
    child.stderr.setEncoding('utf8')
    child.stderr.on('data', (text: string) => (complaints = (complaints + text).slice(-2000)))
    child.on('error', ({ message }) => end(message))
    child.on('close', (code) => end(lastComplaint(complaints) ?? `bpftrace ended with ${code ?? 'a signal'}`))
    return {
      stop: () => {
        isOver = true
        clearTimeout(attaching)
        endBpftrace(child)
      },
    }
  }

/** 0.2 to 1.3 s were seen, the latter under load. */
const ATTACHES_WITHIN_MS = 20_000

// --no-warnings: from 0.23 on a helper's error is a line each. Never -q, which swallows that it is attached.
const argumentsOf = ({ file, parameters }: ProbeProgram): readonly string[] => [
  '--no-warnings',
  '-f',
  'json',
  file,
  ...parameters.map(String),
]
