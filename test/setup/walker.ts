import { execa, execaSync } from 'execa'
import { STUB_FUNCTIONS } from '../../src/capture/stub-functions.ts'

const source = new URL('../../src/stub/walker.c', import.meta.url).pathname
const COMPILE = (
  '-Os -ffreestanding -fPIC -fno-stack-protector -fno-asynchronous-unwind-tables -fno-unwind-tables ' +
  '-fno-jump-tables -fno-builtin -fcf-protection=none -mgeneral-regs-only -mno-red-zone -nostdlib -Wall -Wextra -Werror'
).split(' ')

/** Compiles the walker as a shared object that a test can load into any Python. */
export async function buildWalker(path: string): Promise<void> {
  await execa('gcc', ['-shared', ...COMPILE, source, '-o', path])
}

/** Compiles the walker as it is linked into the stub. */
export async function compileWalker(path: string): Promise<void> {
  await execa('gcc', [...COMPILE, '-fvisibility=hidden', '-c', source, '-o', path])
}

/** Whether there is the compiler that building the walker needs. */
export const canBuildWalker = (): boolean => execaSync('gcc', ['--version'], { reject: false }).exitCode === 0

/** What test/payload/snapshot.py has to know in order to use the walker. */
export const walkerEnvironment = (path: string): Readonly<Record<string, string>> => ({
  PYHEAP_WALKER: path,
  PYHEAP_FUNCTIONS: STUB_FUNCTIONS.map(({ name }) => name).join(' '),
})
