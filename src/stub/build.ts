// npm run stub: compiles the stub and writes its bytes beside it, so that installing needs no compiler.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'

const here = fileURLToPath(new URL('.', import.meta.url))
const COMPILE = (
  '-Os -ffreestanding -fPIC -fvisibility=hidden -fno-stack-protector -fno-asynchronous-unwind-tables ' +
  '-fno-unwind-tables -fno-jump-tables -fno-builtin -fcf-protection=none -mgeneral-regs-only -mno-red-zone ' +
  '-nostdlib -fno-delete-null-pointer-checks -Wall -Wextra -Werror'
).split(' ')

export type BuiltStub = {
  readonly compiler: string
  /** Offsets of the entries, and of what the daemon fills in. */
  readonly symbols: Readonly<Record<string, number>>
  readonly code: string
}

/** The pieces of native code: what goes into the service, into the snapshot alone, and what only the live engine uses. */
export const PIECES = {
  service: {
    sources: ['entry-x86_64.S', 'service.c'],
    symbols: ['pyheap_pending_entry', 'pyheap_interrupt_entry', 'pyheap_inputs'],
  },
  snapshot: { sources: ['snapshot.c', 'walker.c'], symbols: ['pyheap_snapshot'] },
  live: { sources: ['live.c'], symbols: ['pyheap_live'] },
} as const
export type Piece = keyof typeof PIECES

export const compiledFile = (piece: Piece): string => join(here, `${piece}-x86_64.json`)

/** Compiles one piece for x86-64 in a scratch folder; leaves the linked file at `elfPath` when one is given. */
export async function buildStub(piece: Piece, elfPath?: string): Promise<BuiltStub> {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-stub-'))
  const elf = elfPath ?? join(scratch, 'stub.elf')
  const { sources, symbols } = PIECES[piece]
  try {
    const objects = await Promise.all(sources.map((source) => compile(source, scratch)))
    const link = ['-nostdlib', '-static', '--build-id=none', '-e', '0', '-T', join(here, 'flat.ld')]
    await execa('ld', [...link, '-o', elf, ...objects])
    const binary = join(scratch, 'stub.bin')
    await execa('objcopy', ['-O', 'binary', '-j', '.text', elf, binary])
    const { stdout: names } = await execa('nm', [elf])
    const { stdout: compiler } = await execa('gcc', ['--version'])
    return {
      compiler: compiler.split('\n')[0] ?? '',
      symbols: parseSymbols(names, symbols),
      code: readFileSync(binary).toString('base64'),
    }
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

async function compile(source: string, scratch: string): Promise<string> {
  const object = join(scratch, `${source}.o`)
  const flags = source.endsWith('.c') ? COMPILE : []
  await execa('gcc', [...flags, '-c', join(here, source), '-o', object])
  return object
}

function parseSymbols(nm: string, wanted: readonly string[]): Record<string, number> {
  const found = nm.split('\n').map((line) => line.split(' '))
  return Object.fromEntries(
    found.flatMap(([value = '', , name = '']) =>
      wanted.includes(name) ? [[name, parseInt(value, 16)]] : [],
    ),
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const piece of Object.keys(PIECES) as Piece[]) {
    const stub = await buildStub(piece)
    writeFileSync(compiledFile(piece), `${JSON.stringify(stub, null, 2)}\n`)
    process.stdout.write(`${piece}: ${Buffer.from(stub.code, 'base64').length} bytes of code\n`)
  }
