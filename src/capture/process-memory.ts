import { closeSync, openSync, readSync, writeSync } from 'node:fs'

/** The process has ended, or has called exec, or has nothing at the address. */
export class AddressSpaceGone extends Error {}

function orGone(act: () => number): number {
  try {
    return act()
  } catch (cause) {
    throw new AddressSpaceGone('its memory can no longer be reached', { cause })
  }
}

/**
 * The memory of a process through /proc/PID/mem. The descriptor belongs to the address space it was opened on: after
 * the process is gone, or has called exec, reads fail and never reach another process.
 */
export class ProcessMemory {
  readonly #fd: number

  constructor(procRoot: string, pid: number) {
    this.#fd = openSync(`${procRoot}/${pid}/mem`, 'r+')
  }

  read(address: number, size: number): Buffer {
    const buffer = Buffer.alloc(size)
    const read = orGone(() => readSync(this.#fd, buffer, 0, size, address))
    if (read < size) throw new AddressSpaceGone()
    return buffer
  }

  write(address: number, bytes: Buffer): void {
    let done = 0
    while (done < bytes.length) {
      const written = orGone(() => writeSync(this.#fd, bytes, done, bytes.length - done, address + done))
      if (written === 0) throw new AddressSpaceGone()
      done += written
    }
  }

  writeU32(address: number, value: number): void {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(value)
    this.write(address, bytes)
  }

  close(): void {
    closeSync(this.#fd)
  }
}
