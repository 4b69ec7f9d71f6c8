import systeminformation from 'systeminformation'
import { hostName } from '../host-name.ts'
import type { HostMemory, MachineFacts } from '../model.ts'

/** Memory of the whole machine, and what of it could be had without swapping. */
export const readHostMemory = async (): Promise<HostMemory> => {
  const { total, available } = await systeminformation.mem()
  return { totalBytes: total, availableBytes: available }
}

/** Read once: it starts processes. */
export const readMachineFacts = async (): Promise<MachineFacts> => {
  const [os, cpu, memory] = [
    await systeminformation.osInfo(),
    await systeminformation.cpu(),
    await systeminformation.mem(),
  ]
  return {
    host: hostName(process.env),
    os: [os.distro, os.release].filter(Boolean).join(' '),
    kernel: os.kernel,
    architecture: os.arch,
    cpus: cpu.cores,
    memoryBytes: memory.total,
  }
}
