import { readdirSync } from 'node:fs'
import type { PythonProcess } from '../model.ts'
import { parseStat } from '../proc/parse-stat.ts'
import { readExe, type InspectProcess } from './python.ts'
import { readSmall } from './read-proc.ts'

export type DiscovererOptions = {
  readonly procRoot: string
  readonly inspect: InspectProcess
  /** An inspection that takes longer is left behind: the process may sit on a file system that never answers. */
  readonly inspectLimitMs: number
  /** Pids that are none of our business: our own, our children, and our snapshots. Asked before one is looked into. */
  readonly isIgnored: (pid: number) => boolean
  /**
   * In so many sweeps everybody who is known for a while is looked at once for exec; 1 unless told. What is new is looked
   * at in every sweep.
   */
  readonly spread?: number | undefined
}

export type Discovery = {
  /** Found, or found to be another program after exec. */
  readonly appeared: readonly PythonProcess[]
  /** Gone, or no longer Python after exec. */
  readonly gone: readonly PythonProcess[]
  /** What could not be looked at, in words. */
  readonly problems: readonly string[]
}

/** Finds Python processes; every process is looked into once, and again only after exec. */
export class Discoverer {
  readonly #options: DiscovererOptions
  readonly #known = new Map<number, Known>()
  readonly #inspecting = new Set<number>()
  /** How often a program was found not to be Python, by its path. */
  readonly #familiar = new Map<string, number>()
  #sweeps = 0

  constructor(options: DiscovererOptions) {
    this.#options = options
  }

  /** Compares the processes of now with those of the last sweep. */
  async sweep(): Promise<Discovery> {
    const pids = listPids(this.#options.procRoot)
    if (pids === undefined) {
      return { appeared: [], gone: [], problems: [`cannot list ${this.#options.procRoot}`] }
    }
    this.#sweeps++
    const appeared: PythonProcess[] = []
    const gone = this.#forgetAllBut(new Set(pids))
    const problems: string[] = []
    for (const pid of pids) {
      if (!this.#isDue(pid)) continue
      const change = await this.#look(pid)
      if (change.gone !== undefined) gone.push(change.gone)
      if (change.appeared !== undefined) appeared.push(change.appeared)
      if (change.problem !== undefined && problems.length < MAX_PROBLEMS) problems.push(change.problem)
    }
    return { appeared, gone, problems }
  }

  /** Whether a process has been looked at. */
  knows(pid: number): boolean {
    return this.#known.has(pid)
  }

  /** Programs change what they run when they are young. */
  #isDue(pid: number): boolean {
    const { spread = 1 } = this.#options
    const known = this.#known.get(pid)
    return known === undefined || known.looks <= YOUNG_LOOKS || (pid + this.#sweeps) % spread === 0
  }

  async #look(pid: number): Promise<Change> {
    const directory = `${this.#options.procRoot}/${pid}`
    const before = this.#known.get(pid)
    const exe = readExe(directory)
    if (exe === undefined) {
      this.#known.delete(pid)
      return { gone: before?.python?.process }
    }
    if (before !== undefined && !isWorthALook(directory, before, exe)) {
      before.looks++
      return {}
    }
    // Of a program that never was Python the next short-lived one is not worth more than a look at the second sweep.
    if (before === undefined && (this.#familiar.get(exe) ?? 0) >= FAMILIAR) {
      this.#known.set(pid, { exe, looks: 1, python: undefined })
      return {}
    }
    if (this.#inspecting.has(pid) || this.#options.isIgnored(pid)) return {}
    if (this.#inspecting.size >= MAX_HANGING) return { problem: `process ${pid} not looked at: others hang` }

    const inspection = await this.#inspect(pid)
    const found = inspection === 'too slow' ? undefined : inspection
    this.#known.set(pid, describe(directory, exe, before, found))
    if (inspection !== 'too slow') this.#remember(exe, found !== undefined)
    return {
      appeared: found,
      gone: replaced(before, found),
      problem: inspection === 'too slow' ? `looking at process ${pid} took too long` : undefined,
    }
  }

  #remember(exe: string, isPython: boolean): void {
    if (this.#familiar.size >= MAX_FAMILIAR) this.#familiar.clear()
    // One that has been Python, perhaps in another container, is looked into every time.
    const count = isPython ? Number.NEGATIVE_INFINITY : (this.#familiar.get(exe) ?? 0) + 1
    this.#familiar.set(exe, count)
  }

  async #inspect(pid: number): Promise<PythonProcess | undefined | 'too slow'> {
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise<'too slow'>((resolve) => {
      timer = setTimeout(resolve, this.#options.inspectLimitMs, 'too slow')
    })
    this.#inspecting.add(pid)
    const inspection = this.#options.inspect(pid).finally(() => this.#inspecting.delete(pid))
    try {
      return await Promise.race([inspection, limit])
    } finally {
      clearTimeout(timer)
    }
  }

  #forgetAllBut(present: ReadonlySet<number>): PythonProcess[] {
    const gone: PythonProcess[] = []
    for (const [pid, { python }] of this.#known) {
      if (present.has(pid)) continue
      this.#known.delete(pid)
      if (python !== undefined) gone.push(python.process)
    }
    return gone
  }
}

type Known = {
  readonly exe: string
  looks: number
  readonly python: { readonly process: PythonProcess; readonly image: string } | undefined
}

type Change = {
  readonly appeared?: PythonProcess | undefined
  readonly gone?: PythonProcess | undefined
  readonly problem?: string | undefined
}

// libuv has four threads for files, and the rest of the daemon needs some.
const MAX_HANGING = 2
const YOUNG_LOOKS = 3
const FAMILIAR = 8
const MAX_FAMILIAR = 1024
const MAX_PROBLEMS = 10

const listPids = (procRoot: string): readonly number[] | undefined => {
  try {
    return readdirSync(procRoot).map(Number).filter(Number.isInteger)
  } catch {
    return undefined
  }
}

const isWorthALook = (directory: string, { exe, looks, python }: Known, exeNow: string): boolean => {
  if (exe !== exeNow) return true
  // A program may load libpython late: look again, ever more rarely.
  if (python === undefined) return (looks & (looks - 1)) === 0
  const stat = parseStat(readSmall(`${directory}/stat`) ?? '')
  return (
    stat !== undefined && (stat.startTicks !== python.process.id.startTicks || stat.image !== python.image)
  )
}

const describe = (
  directory: string,
  exe: string,
  before: Known | undefined,
  found: PythonProcess | undefined,
): Known => {
  const isSameProgram = before !== undefined && before.exe === exe && before.python === undefined
  const stat = parseStat(readSmall(`${directory}/stat`) ?? '')
  return {
    exe,
    looks: isSameProgram ? before.looks + 1 : 1,
    python: found && { process: found, image: stat?.startTicks === found.id.startTicks ? stat.image : '' },
  }
}

// After exec a process is still itself, whatever it runs now.
const replaced = (before: Known | undefined, found: PythonProcess | undefined): PythonProcess | undefined =>
  before?.python?.process.id.startTicks === found?.id.startTicks ? undefined : before?.python?.process
