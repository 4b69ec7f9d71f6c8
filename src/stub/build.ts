// npm run stub: compiles the stub and writes its bytes beside it, so that installing needs no compiler.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa, execaSync } from 'execa'

const here = fileURLToPath(new URL('.', import.meta.url))
const COMPILE = (
  '-Os -ffreestanding -fPIC -fvisibility=hidden -fno-stack-protector -fno-asynchronous-unwind-tables ' +
  '-fno-unwind-tables -fno-jump-tables -fno-builtin -mgeneral-regs-only -nostdlib ' +
  '-fno-delete-null-pointer-checks -Wall -Wextra -Werror'
).split(' ')

/** How code is built for each: what the names of the tools begin with, and flags of its own. */
export const ARCHITECTURES = {
  x86_64: { tools: '', flags: ['-fcf-protection=none', '-mno-red-zone'] },
  // The tiny code model has no `adrp`, which counts pages: the code does not lie at the start of one.
  aarch64: { tools: 'aarch64-linux-gnu-', flags: ['-mcmodel=tiny', '-mno-outline-atomics'] },
} as const
export type Architecture = keyof typeof ARCHITECTURES

export type BuiltStub = {
  readonly compiler: string
  /** Offsets of the entries, and of what the daemon fills in. */
  readonly symbols: Readonly<Record<string, number>>
  readonly code: string
}

/** The pieces of native code: what goes into the service, into the snapshot alone, and what only the live engine uses. */
export const PIECES = {
  service: {
    sources: ['entry-*.S', 'service.c'],
    symbols: ['pyheap_pending_entry', 'pyheap_interrupt_entry', 'pyheap_inputs'],
  },
  snapshot: { sources: ['snapshot.c', 'walker.c', 'memset.S'], symbols: ['pyheap_snapshot'] },
  live: { sources: ['live.c'], symbols: ['pyheap_live'] },
} as const
export type Piece = keyof typeof PIECES

export const compiledFile = (piece: Piece, architecture: Architecture): string =>
  join(here, `${piece}-${architecture}.json`)

/** Whether the machine has the compiler for an architecture. */
export const canBuildFor = (architecture: Architecture): boolean =>
  execaSync(`${ARCHITECTURES[architecture].tools}gcc`, ['--version'], { reject: false }).exitCode === 0

/** Compiles one piece in a scratch folder; leaves the linked file at `elfPath` when one is given. */
export async function buildStub(
  piece: Piece,
  architecture: Architecture,
  elfPath?: string,
): Promise<BuiltStub> {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-stub-'))
  const elf = elfPath ?? join(scratch, 'stub.elf')
  const { sources, symbols } = PIECES[piece]
  const { tools } = ARCHITECTURES[architecture]
  try {
    const objects = await Promise.all(sources.map((source) => compile(source, architecture, scratch)))
    const link = ['-nostdlib', '-static', '--build-id=none', '-e', '0', '-T', join(here, 'flat.ld')]
    await execa(`${tools}ld`, [...link, '-o', elf, ...objects])
    const binary = join(scratch, 'stub.bin')
    await execa(`${tools}objcopy`, ['-O', 'binary', '-j', '.text', elf, binary])
    const { stdout: names } = await execa(`${tools}nm`, [elf])
    const { stdout: compiler } = await execa(`${tools}gcc`, ['--version'])
    return {
      compiler: compiler.split('\n')[0] ?? '',
      symbols: parseSymbols(names, symbols),
      code: readFileSync(binary).toString('base64'),
    }
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

async function compile(source: string, architecture: Architecture, scratch: string): Promise<string> {
  const { tools, flags } = ARCHITECTURES[architecture]
  const object = join(scratch, `${source}.o`)
  const file = join(here, source.replace('*', architecture))
  await execa(`${tools}gcc`, [
    ...(source.endsWith('.c') ? [...COMPILE, ...flags] : []),
    '-c',
    file,
    '-o',
    object,
  ])
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

async function buildAll(architecture: Architecture): Promise<void> {
  if (!canBuildFor(architecture)) {
    process.stdout.write(`${architecture}: NOT built, there is no ${ARCHITECTURES[architecture].tools}gcc\n`)
    return
  }
  for (const piece of Object.keys(PIECES) as Piece[]) {
    const stub = await buildStub(piece, architecture)
    writeFileSync(compiledFile(piece, architecture), `${JSON.stringify(stub, null, 2)}\n`)
    const { length } = Buffer.from(stub.code, 'base64')
    process.stdout.write(`${piece} for ${architecture}: ${length} bytes of code\n`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const architecture of Object.keys(ARCHITECTURES) as Architecture[]) await buildAll(architecture)
