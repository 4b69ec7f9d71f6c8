import { type ChildProcess, spawn } from 'node:child_process'
import { onLines } from './lines.ts'
import { parseProbeLine } from './parse-probe-line.ts'
import type { Probe } from './probe.ts'

/** A program for bpftrace and its arguments. */
export type ProbeProgram = { readonly file: string; readonly parameters: readonly number[] }

/** bpftrace on a program. It does not outlive the daemon: the kernel ends it with its parent. */
export const bpftraceProbe =
  (program: ProbeProgram): Probe =>
  (onEvent, onEnd) => {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'bpftrace', ...argumentsOf(program)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Of a group of its own: Ctrl-C is for the daemon, which ends it when it has finished.
      detached: true,
      env: { PATH: process.env['PATH'], BPFTRACE_MAP_KEYS_MAX: MAP_KEYS, BPFTRACE_MAX_MAP_KEYS: MAP_KEYS },
    })
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
      kill(child)
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
        kill(child)
      },
    }
  }

/** bpftrace's default of 4,096 may be less than the processes above the floor, and a full map is a flood. */
const MAP_KEYS = '16384'

/** 0.2 to 1.3 s were seen, the latter under load. */
const ATTACHES_WITHIN_MS = 20_000

const STOPS_WITHIN_MS = 2000

// --no-warnings: from 0.23 on a helper's error is a line each. Never -q, which swallows that it is attached.
const argumentsOf = ({ file, parameters }: ProbeProgram): readonly string[] => [
  '--no-warnings',
  '-f',
  'json',
  file,
  ...parameters.map(String),
]

function kill(child: ChildProcess): void {
  child.kill('SIGTERM')
  setTimeout(() => child.kill('SIGKILL'), STOPS_WITHIN_MS).unref()
}

// Without CAP_SYS_RESOURCE every version complains of RLIMIT_MEMLOCK, and goes on.
const lastComplaint = (text: string): string | undefined =>
  text
    .split('\n')
    .findLast((line) => line.trim() !== '' && !line.includes('RLIMIT_MEMLOCK'))
    ?.trim()
    .slice(0, 300)
