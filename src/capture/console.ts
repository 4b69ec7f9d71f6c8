import { Socket } from 'node:net'
import { type ConsoleMessage, MessageReader, type Request, encodeRequest } from './console-messages.ts'
import { endProcess } from './prepare-snapshot.ts'
import { readStat } from './read-stat.ts'

export type OutputStream = 'out' | 'err'
export type OnOutput = (stream: OutputStream, text: string) => void

/** How a run came to its end. */
export type Ran =
  | {
      /** `left` and `failed` are SystemExit; `incomplete` statements have not run. */
      readonly kind: 'finished' | 'raised' | 'incomplete' | 'left' | 'failed'
      /** The traceback, or what SystemExit had to say. */
      readonly error: string
      readonly isCut: boolean
    }
  /** There is no snapshot any more. */
  | { readonly kind: 'gone'; readonly why: string }

export type Source = { readonly mode: 'exec' | 'single'; readonly filename: string; readonly text: Buffer }

export type ConsoleOptions = {
  readonly procRoot: string
  readonly pid: number
  readonly startTicks: number
  /** Descriptors of the two pipes, which the console closes. */
  readonly output: number
  readonly input: number
  /** The longest that a run may take, or a silence between two. */
  readonly timeoutMs: number
  /** Why the snapshot has to be ended now, if it has to. */
  readonly mustEnd: () => string | undefined
}

const ENDINGS = ['finished', 'raised', 'incomplete', 'left', 'failed'] as const
const LOOK_EVERY_MS = 200
/** The snapshot itself stops at 16 MiB; native code in it does not. */
const MAX_RUN_CHARS = 24 * 2 ** 20
const BY_ITSELF = 'the snapshot has ended: os._exit, a crash of native code, or the OOM killer'

type Take = (message: ConsoleMessage) => void

/** A conversation with the Python in a snapshot. One request at a time; nothing that it does reaches the service. */
export class Console {
  readonly #options: ConsoleOptions
  readonly #output: Socket
  readonly #input: Socket
  readonly #reader = new MessageReader()
  readonly #watch: NodeJS.Timeout
  #take: Take = () => undefined
  #onGone: () => void = () => undefined
  #gone: string | undefined
  #deadline: number

  constructor(options: ConsoleOptions) {
    this.#options = options
    this.#deadline = performance.now() + options.timeoutMs
    this.#input = new Socket({ fd: options.input, readable: false, writable: true })
    this.#input.on('error', () => undefined) // the output's end tells
    this.#output = new Socket({ fd: options.output, readable: true, writable: false })
    this.#output.on('data', (bytes: Buffer) => {
      for (const message of this.#reader.push(bytes)) this.#take(message)
    })
    for (const event of ['end', 'close', 'error'] as const) this.#output.on(event, () => this.#end(BY_ITSELF))
    this.#watch = setInterval(() => this.#look(), LOOK_EVERY_MS)
  }

  /** Waits for the snapshot's first word: the version of Python, or why there is no console. */
  async greet(withinMs: number): Promise<ConsoleMessage | undefined> {
    const late = setTimeout(() => this.#end('the interpreter in the snapshot did not answer'), withinMs)
    try {
      return await this.#await((message) =>
        message.kind === 'hello' || message.kind === 'fatal' || message.kind === 'refused'
          ? message
          : undefined,
      )
    } finally {
      clearTimeout(late)
    }
  }

  /** Runs code in the snapshot and hands on what it writes. */
  async run({ mode, filename, text }: Source, onOutput: OnOutput): Promise<Ran> {
    this.#ask(mode, Buffer.concat([Buffer.from(`${filename}\0`), text]))
    let error = ''
    let room = MAX_RUN_CHARS
    const ran = await this.#await((message): Ran | undefined => {
      room -= message.text.length
      if (room < 0) this.#end('it wrote more than 24 MiB past Python’s own streams')
      else if (message.kind === 'out' || message.kind === 'err') onOutput(message.kind, message.text)
      else if (message.kind === 'error') error = message.text
      else if (message.kind === 'done') return parseEnding(message.text, error)
      return undefined
    })
    this.#prolong()
    return ran ?? { kind: 'gone', why: this.#gone ?? BY_ITSELF }
  }

  /** Names that the end of a line may become. */
  async complete(text: string): Promise<readonly string[]> {
    this.#ask('complete', Buffer.from(text))
    const names = await this.#await((message) => (message.kind === 'names' ? message.text : undefined))
    return (names ?? '').split('\n').filter((name) => name.startsWith(text))
  }

  /** Raises KeyboardInterrupt in what runs. */
  interrupt(): void {
    if (this.#isThere()) process.kill(this.#options.pid, 'SIGINT')
  }

  /** Ends the snapshot. Whoever is its parent now has to take note of that. */
  close(): { readonly parentPid: number | undefined } {
    const parentPid = readStat(this.#options.procRoot, this.#options.pid)?.parentPid
    this.#end('it has been closed')
    return { parentPid }
  }

  /** Why there is no snapshot any more, as soon as there is none. */
  get gone(): string | undefined {
    return this.#gone
  }

  #isThere(): boolean {
    const { procRoot, pid, startTicks } = this.#options
    const stat = readStat(procRoot, pid)
    return stat?.startTicks === startTicks && stat.state !== 'Z'
  }

  #ask(kind: Request, body: Buffer): void {
    this.#prolong()
    if (this.#gone === undefined) this.#input.write(encodeRequest(kind, body))
  }

  /** The first answer that a message gives, or undefined when the snapshot has gone before. */
  async #await<Answer>(judge: (message: ConsoleMessage) => Answer | undefined): Promise<Answer | undefined> {
    if (this.#gone !== undefined) return undefined
    return new Promise((resolve) => {
      this.#onGone = () => resolve(undefined)
      this.#take = (message) => {
        const answer = judge(message)
        if (answer !== undefined) resolve(answer)
      }
    })
  }

  #prolong(): void {
    this.#deadline = performance.now() + this.#options.timeoutMs
  }

  #look(): void {
    const seconds = Math.round(this.#options.timeoutMs / 1000)
    const isLate = performance.now() > this.#deadline
    const why = isLate ? `nothing came of it for ${seconds} s (--timeout)` : this.#mustEnd()
    if (why !== undefined) this.#end(why)
  }

  #mustEnd(): string | undefined {
    try {
      return this.#options.mustEnd()
    } catch {
      return undefined // it has just ended, which the end of its output tells
    }
  }

  #end(why: string): void {
    if (this.#gone !== undefined) return
    this.#gone = why
    clearInterval(this.#watch)
    if (this.#isThere()) endProcess(this.#options.pid)
    this.#output.destroy()
    this.#input.destroy()
    this.#onGone()
  }
}

function parseEnding(text: string, error: string): Ran {
  const [word, cut] = text.split(' ')
  const kind = ENDINGS.find((known) => known === word)
  return kind === undefined
    ? { kind: 'gone', why: 'the snapshot answered what makes no sense' }
    : { kind, error, isCut: cut === 'cut' }
}
