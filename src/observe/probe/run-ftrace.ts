import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addTold, ftraceFilter, type Told } from './ftrace-filter.ts'
import { onLines } from './lines.ts'
import { parseTraceLine } from './parse-trace-line.ts'
import type { Probe } from './probe.ts'

export type FtraceOptions = {
  readonly procRoot: string
  readonly floorBytes: number
  readonly stepBytes: number
}

const MOUNTS = ['sys/kernel/tracing', 'sys/kernel/debug/tracing']
const PREFIX = 'pyheap-watchd-'

/**
 * The growth that rss.bt tells of, by the kernel's tracing alone: no BPF, no bpftrace, and all is text. An instance of its
 * own, which a daemon that is killed leaves behind and the next one removes.
 */
export const ftraceProbe =
  (options: FtraceOptions, root = '/'): Probe =>
  (onEvent, onEnd) => {
    const opened = open(options, root)
    if (typeof opened === 'string') {
      const late = setTimeout(() => onEnd({ wasAttached: false, detail: opened }))
      return { stop: () => clearTimeout(late) }
    }
    let told: Told = new Map()
    let isOver = false
    const tell = (line: string): void => {
      const seen = parseTraceLine(line)
      if (isOver || seen === undefined) return
      if (seen.kind !== 'rss') return onEvent(seen)
      // Lines of a burst were written before the filter knew.
      if (seen.bytes < (told.get(seen.mm) ?? 0)) return
      told = addTold(told, seen.mm, seen.bytes + options.stepBytes)
      opened.filter(ftraceFilter(options.floorBytes, told))
      onEvent({ kind: 'growth', pid: processOf(options.procRoot, seen.tid), bytes: seen.bytes })
    }
    const reader = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', '--', 'cat', join(opened.directory, 'trace_pipe')],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
        detached: true,
      },
    )
    reader.on('spawn', () => onEvent({ kind: 'attached' }))
    reader.on('error', ({ message }) => end(message))
    reader.on('close', () => end('the reader of trace_pipe has ended'))
    onLines(reader.stdout, tell)
    const end = (detail: string): void => {
      opened.remove()
      if (!isOver) onEnd({ wasAttached: true, detail })
      isOver = true
    }
    return {
      stop: () => {
        isOver = true
        opened.silence()
        reader.kill('SIGKILL') // whose end removes the instance
      },
    }
  }

type Opened = {
  readonly directory: string
  readonly filter: (text: string) => void
  /** Costs nothing any more. */
  readonly silence: () => void
  readonly remove: () => void
}

/** Makes the instance and turns its events on; what is in the way otherwise. */
function open({ procRoot, floorBytes }: FtraceOptions, root: string): Opened | string {
  const instances = MOUNTS.map((mount) => join(root, mount, 'instances')).find(existsSync)
  if (instances === undefined) return 'no tracefs is mounted: mount -t tracefs tracefs /sys/kernel/tracing'
  const directory = join(instances, `${PREFIX}${process.pid}`)
  const attempt = (act: () => void): void => {
    try {
      act()
    } catch {
      // a process that has ended, a mount that is gone: nothing is lost but the probe
    }
  }
  const filter = (text: string): void =>
    attempt(() => writeFileSync(join(directory, 'events/kmem/rss_stat/filter'), text))
  const enable = (event: string, value: '0' | '1'): void =>
    writeFileSync(join(directory, 'events', event, 'enable'), value)
  const silence = (): void => attempt(() => enable('kmem/rss_stat', '0'))
  const remove = (): void => attempt(() => rmdirSync(directory))
  for (const left of readdirSync(instances))
    if (left.startsWith(PREFIX) && !existsSync(join(procRoot, left.slice(PREFIX.length))))
      attempt(() => rmdirSync(join(instances, left)))
  try {
    if (!existsSync(directory)) mkdirSync(directory)
    writeFileSync(join(directory, 'buffer_size_kb'), '64')
    writeFileSync(join(directory, 'events/kmem/rss_stat/filter'), ftraceFilter(floorBytes, new Map()))
    enable('kmem/rss_stat', '1')
    enable('oom/mark_victim', '1')
    return { directory, filter, silence, remove }
  } catch (error) {
    remove()
    return `tracefs: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** The process of a thread; a thread that has ended keeps its own number. */
function processOf(procRoot: string, tid: number): number {
  try {
    const status = readFileSync(join(procRoot, String(tid), 'status'), 'latin1')
    return Number(/^Tgid:\s*(\d+)$/m.exec(status)?.[1] ?? tid)
  } catch {
    return tid
  }
}
