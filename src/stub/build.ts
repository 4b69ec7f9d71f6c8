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
  '-nostdlib -Wall -Wextra -Werror'
).split(' ')

export type BuiltStub = {
  readonly compiler: string
  /** Offsets of the entries and of the slots that the daemon fills in. */
  readonly symbols: Readonly<Record<string, number>>
  readonly code: string
}

/** Compiles the x86-64 stub in a scratch folder; leaves the linked file at `elfPath` when one is given. */
export async function buildStub(elfPath?: string): Promise<BuiltStub> {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-stub-'))
  const elf = elfPath ?? join(scratch, 'stub.elf')
  const at = (name: string): string => join(scratch, name)
  try {
    await execa('gcc', [...COMPILE, '-c', join(here, 'snapshot.c'), '-o', at('snapshot.o')])
    await execa('gcc', ['-c', join(here, 'entry-x86_64.S'), '-o', at('entry.o')])
    const link = ['-nostdlib', '-static', '--build-id=none', '-e', '0', '-T', join(here, 'flat.ld')]
    await execa('ld', [...link, '-o', elf, at('entry.o'), at('snapshot.o')])
    await execa('objcopy', ['-O', 'binary', '-j', '.text', elf, at('stub.bin')])
    const { stdout: names } = await execa('nm', [elf])
    const { stdout: compiler } = await execa('gcc', ['--version'])
    return {
      compiler: compiler.split('\n')[0] ?? '',
      symbols: parseSymbols(names),
      code: readFileSync(at('stub.bin')).toString('base64'),
    }
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

function parseSymbols(nm: string): Record<string, number> {
  const wanted = new Set(['pyheap_pending_entry', 'pyheap_rest_entry', 'pyheap_slots'])
  const found = nm.split('\n').map((line) => line.split(' '))
  return Object.fromEntries(
    found.flatMap(([value = '', , name = '']) => (wanted.has(name) ? [[name, parseInt(value, 16)]] : [])),
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const stub = await buildStub()
  writeFileSync(join(here, 'snapshot-x86_64.json'), `${JSON.stringify(stub, null, 2)}\n`)
  process.stdout.write(`snapshot-x86_64.json: ${Buffer.from(stub.code, 'base64').length} bytes of code\n`)
}
