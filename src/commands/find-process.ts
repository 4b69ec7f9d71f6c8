import { execFileSync } from 'node:child_process'
import { places } from '../installation.ts'
import { readHostMemory } from '../observe/host.ts'
import { type Look, lookOnce } from '../observe/look-once.ts'
import { EXIT } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'

export type SeenProcess = Extract<Look, { kind: 'seen' }>

/** The Python process that an argument names, for root to look into; when there is none, tells why and answers the exit code. */
export async function findProcess(pidText: string, terminal: Terminal): Promise<SeenProcess | number> {
  if (!/^[1-9]\d{0,9}$/.test(pidText)) {
    terminal.err(`${JSON.stringify(pidText)} is not a process id`)
    return EXIT.usage
  }
  if (process.getuid?.() !== 0) {
    terminal.err('only root may snapshot other processes; try it with sudo')
    return EXIT.notRoot
  }
  const pageBytes = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }))
  const options = { ...places, pageBytes, host: await readHostMemory() }
  const look = await lookOnce(Number(pidText), performance.now(), options)
  return look.kind === 'seen' ? look : tellUnseen(pidText, look, terminal)
}

function tellUnseen(pid: string, look: Exclude<Look, SeenProcess>, terminal: Terminal): number {
  switch (look.kind) {
    case 'gone':
      terminal.err(`there is no process ${pid}`)
      return EXIT.notFound
    case 'zombie':
      terminal.err(
        `process ${pid} has ended and waits for its parent to notice (zombie): nothing is left to capture`,
      )
      return EXIT.captureFailed
    case 'not-python':
      terminal.err(
        look.runs === undefined
          ? `process ${pid} is not Python: neither its program nor a mapped libpython is CPython`
          : `process ${pid} runs ${look.runs}, not CPython for x86-64, and only that can be looked into`,
      )
      return EXIT.captureFailed
    default:
      return look satisfies never
  }
}
