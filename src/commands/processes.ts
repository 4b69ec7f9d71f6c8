import { basename } from 'node:path'
import { emitKeypressEvents } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { measureDistances, type ProcessStanding } from '../decide/distances.ts'
import { emptyMemory, remember } from '../decide/memory.ts'
import { openObserver } from '../open-observer.ts'
import { containerText } from '../report/container-line.ts'
import { formatDuration } from '../report/format.ts'
import { type ListedProcess, renderProcesses } from '../report/processes-text.ts'
import { readStat } from '../capture/read-stat.ts'
import { readRecord } from '../capture/target-record.ts'
import { places } from '../installation.ts'
import type { Observation, ProcessId } from '../model.ts'
import type { Config } from '../config/config.ts'
import { EXIT } from './exit-codes.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import { type Terminal, styleOf } from './terminal.ts'

/** Growth is measured over this time, as far as it was seen. */
const WINDOW_MS = 60_000

/** `pyheapctl ps`: the Python processes that targets name, now. */
export async function psCommand(options: CommonOptions, terminal: Terminal): Promise<number> {
  const settings = await readSettings(options, terminal)
  if (!settings) return EXIT.config
  const observer = openObserver(settings)
  try {
    const nowMs = performance.now()
    const observation = await observer.observe(nowMs)
    const standings = measureDistances(
      remember(emptyMemory(), observation),
      settings.decide,
      nowMs,
      WINDOW_MS,
    )
    if (options.json === true) terminal.out(JSON.stringify(standings.map(toRow), null, 1))
    else terminal.out(renderProcesses(standings.map(toRow), styleOf(terminal), false).join('\n'))
    tellProblems(observation, terminal)
    return EXIT.ok
  } finally {
    observer.close()
  }
}

/** A process that cannot be looked into is worth a word: without root most cannot. */
function tellProblems({ problems = [], containers = [] }: Observation, terminal: Terminal): void {
  for (const news of containers.filter(({ kind }) => kind === 'pods-unknown' || kind === 'bad-annotation'))
    terminal.err(containerText(news))
  for (const problem of problems.slice(0, 3)) terminal.err(problem)
  if (process.getuid?.() !== 0) terminal.err('without root only your own processes can be looked into')
}

export type TopOptions = CommonOptions & { readonly interval: string; readonly count?: string }

const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'
const REDRAW = '\u001b[H'
const CLEAR_REST = '\u001b[K'
const CLEAR_BELOW = '\u001b[J'

/** `pyheapctl top`: the same, again and again, with growth and the time to the limit; q or Ctrl-C ends it. */
export async function topCommand(options: TopOptions, terminal: Terminal): Promise<number> {
  const seconds = Number(options.interval)
  const most = options.count === undefined ? Number.POSITIVE_INFINITY : Number(options.count)
  if (!(seconds >= 0.1) || !(most >= 1)) {
    terminal.err('--interval takes seconds, 0.1 at least, and --count a number of times')
    return EXIT.usage
  }
  const settings = await readSettings(options, terminal)
  if (!settings) return EXIT.config
  const isLive = process.stdout.isTTY && options.json !== true
  const ended = new AbortController()
  const restore = isLive ? takeTerminal(() => ended.abort()) : () => undefined
  try {
    await watch(settings, { seconds, most, signal: ended.signal }, (standings) => {
      if (options.json === true)
        terminal.out(JSON.stringify({ at: new Date().toISOString(), processes: standings.map(toRow) }))
      else if (isLive) draw(standings, seconds, terminal)
      else terminal.out(renderProcesses(standings.map(toRow), styleOf(terminal), true).join('\n'))
    })
    return EXIT.ok
  } finally {
    restore()
  }
}

type Pace = { readonly seconds: number; readonly most: number; readonly signal: AbortSignal }

async function watch(
  settings: Config,
  { seconds, most, signal }: Pace,
  show: (standings: readonly ProcessStanding[]) => void,
): Promise<void> {
  const observer = openObserver(settings)
  try {
    let memory = emptyMemory()
    for (let n = 1; n <= most && !signal.aborted; n++) {
      const nowMs = performance.now()
      memory = remember(memory, await observer.observe(nowMs))
      // Half of the window has to be seen: at first that is a short one.
      const windowMs = Math.min(WINDOW_MS, Math.max(seconds * 5000, (n - 1) * seconds * 1000))
      show(measureDistances(memory, settings.decide, nowMs, windowMs))
      if (n < most) await sleep(seconds * 1000, undefined, { signal }).catch(() => undefined)
    }
  } finally {
    observer.close()
  }
}

/** Switches to a screen of our own, and listens for q; answers how to give the terminal back. */
function takeTerminal(end: () => void): () => void {
  const { stdin, stdout } = process
  stdout.write(ENTER)
  process.once('SIGINT', end).once('SIGTERM', end)
  if (stdin.isTTY) {
    emitKeypressEvents(stdin)
    stdin.setRawMode(true)
    stdin.resume()
    stdin.on('keypress', (_, key: { readonly name?: string; readonly ctrl?: boolean }) => {
      if (key.name === 'q' || (key.ctrl === true && key.name === 'c')) end()
    })
  }
  return () => {
    stdout.write(LEAVE)
    if (!stdin.isTTY) return
    stdin.setRawMode(false)
    stdin.pause()
  }
}

function draw(standings: readonly ProcessStanding[], seconds: number, terminal: Terminal): void {
  const { rows, columns } = process.stdout
  const style = { ...styleOf(terminal), width: columns < 20 ? terminal.width : columns }
  const head = `${standings.length} Python processes, every ${formatDuration(seconds * 1000)}; q ends`
  const lines = [style.palette.bold(head), '', ...renderProcesses(standings.map(toRow), style, true)]
  const shown = lines.slice(0, Math.max(3, rows - 1)).map((line) => `${line}${CLEAR_REST}`)
  process.stdout.write(`${REDRAW}${shown.join('\n')}${CLEAR_BELOW}`)
}

/** Whether gdb is at it, or a snapshot of it lives, as the record of a capture in progress says. */
function isBeingCaptured(id: ProcessId): boolean {
  const { attaching, snapshot } = readRecord(places.runDir, id)
  return (
    attaching ||
    (snapshot && readStat(places.procRoot, snapshot.pid)?.startTicks === snapshot.startTicks) === true
  )
}

function toRow({
  process: seen,
  sample,
  growthBytesPerMs,
  leftMs,
  distances,
}: ProcessStanding): ListedProcess {
  const nearest = distances.find(({ reading }) => reading.kind === 'value')
  return {
    pid: seen.id.pid,
    insidePid: seen.insidePid,
    container: seen.container,
    target: seen.target,
    user: seen.user,
    command: [basename(seen.cmdline[0] ?? seen.exe), ...seen.cmdline.slice(1)].join(' '),
    rssBytes: sample.rssBytes,
    limitShare: sample.limit && sample.limit.usedBytes / Math.max(1, sample.limit.limitBytes),
    growthBytesPerMs,
    leftMs,
    nearest:
      nearest?.reading.kind === 'value' ? { rule: nearest.rule.name, need: nearest.reading.need } : undefined,
    rules: distances.map(({ rule, reading }) => ({
      rule: rule.name,
      need: reading.kind === 'value' ? reading.need : undefined,
    })),
    isBeingCaptured: isBeingCaptured(seen.id),
  }
}
