import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { execa, execaSync } from 'execa'
import { seccompFilter } from '../../src/capture/seccomp-filter.ts'
import { type BuiltStub, canBuildFor } from '../../src/stub/build.ts'

const QEMU = 'qemu-system-aarch64'
const COMPILE = (
  '-static -nostdlib -ffreestanding -fno-builtin -fno-tree-loop-distribute-patterns -mgeneral-regs-only ' +
  '-mno-outline-atomics -Os -Wall -Wextra -Werror -Wl,-N -Wl,--no-warn-rwx-segments'
).split(' ')
const sources = new URL('../stub/aarch64/', import.meta.url).pathname

const kernel = (): string =>
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'pyheap-watchd', 'arm64', 'vmlinuz')

/** Why the machine cannot be started here, or undefined. */
export function whyNoMachine(): string | undefined {
  if (!canBuildFor('aarch64')) return 'optional: needs aarch64-linux-gnu-gcc, see test/setup/arm64-machine.sh'
  if (execaSync(QEMU, ['--version'], { reject: false }).exitCode !== 0)
    return `optional: needs ${QEMU}, see test/setup/arm64-machine.sh`
  return existsSync(kernel())
    ? undefined
    : 'optional: needs a kernel for arm64, which test/setup/arm64-machine.sh fetches'
}

/** Starts an emulated machine whose only program tries the stub and the sandboxes; answers what that has printed. */
export async function runMachine(stub: BuiltStub, scratch: string): Promise<string> {
  writeFileSync(join(scratch, 'service.bin'), Buffer.from(stub.code, 'base64'))
  for (const sandbox of ['census', 'reading-files'] as const)
    writeFileSync(join(scratch, `${sandbox}.bpf`), seccompFilter(sandbox, 'aarch64'))
  const { symbols } = stub
  const places = [
    `-DINTERRUPT_ENTRY=${symbols['pyheap_interrupt_entry']}`,
    `-DPENDING_ENTRY=${symbols['pyheap_pending_entry']}`,
    `-DINPUTS=${symbols['pyheap_inputs']}`,
  ]
  const program = join(scratch, 'init')
  const input = ['registers.S', 'machine.c'].map((name) => join(sources, name))
  await execa('aarch64-linux-gnu-gcc', [...COMPILE, ...places, ...input, '-o', program], { cwd: scratch })
  const initrd = join(scratch, 'initrd')
  writeFileSync(initrd, initialFiles(readFileSync(program)))
  const board = ['-M', 'virt', '-cpu', 'cortex-a57', '-m', '256', '-nographic', '-nodefaults', '-no-reboot']
  const boot = ['-kernel', kernel(), '-initrd', initrd, '-append', 'console=ttyAMA0 panic=-1 quiet']
  const { stdout } = await execa(QEMU, [...board, '-serial', 'stdio', ...boot], {
    stdin: 'ignore',
    timeout: 60_000,
  })
  return stdout
}

/** A console and the first program, as the kernel unpacks them: a cpio archive in its `newc` form. */
function initialFiles(program: Buffer): Buffer {
  const none = Buffer.alloc(0)
  return Buffer.concat([
    member('dev', 0o40755, none),
    member('dev/console', 0o20600, none, [5, 1]),
    member('init', 0o100755, program),
    member('TRAILER!!!', 0, none),
  ])
}

function member(name: string, mode: number, content: Buffer, device: readonly number[] = [0, 0]): Buffer {
  const fields = [0, mode, 0, 0, 1, 0, content.length, 0, 0, ...device, name.length + 1, 0]
  const head = `070701${fields.map((value) => value.toString(16).padStart(8, '0')).join('')}${name}\0`
  return Buffer.concat([padded(Buffer.from(head)), padded(content)])
}

const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)])
