import type { HostMemory, PythonProcess, Sample } from '../model.ts'
import { LimitReader } from './limits.ts'
import { parseMaps } from '../proc/maps.ts'
import { nameOtherPython } from './other-python.ts'
import { createInspector, readExe } from './python.ts'
import { readSmall } from './read-proc.ts'

export type LookOptions = {
  readonly procRoot: string
  readonly sysRoot: string
  readonly passwdFile: string
  readonly pageBytes: number
  readonly host: HostMemory
}

export type Look =
  | { readonly kind: 'seen'; readonly process: PythonProcess; readonly sample: Sample }
  | { readonly kind: 'gone' | 'zombie' }
  /** `runs` names the Python that is not CPython, where it is one. */
  | { readonly kind: 'not-python'; readonly runs: string | undefined }

/** One look at one process, for a capture that is asked for by hand. */
export const lookOnce = async (pid: number, nowMs: number, options: LookOptions): Promise<Look> => {
  const { procRoot, sysRoot, passwdFile, pageBytes, host } = options
  const stat = readSmall(`${procRoot}/${pid}/stat`)
  if (stat === undefined) return { kind: 'gone' }
  if (/\) [ZX] /.test(stat.slice(stat.lastIndexOf(')')))) return { kind: 'zombie' }
  const bootId = readSmall(`${procRoot}/sys/kernel/random/boot_id`)?.trim() ?? ''
  const process = await createInspector({ procRoot, passwdFile, bootId })(pid)
  if (process === undefined) return { kind: 'not-python', runs: nameProgram(`${procRoot}/${pid}`) }
  const [virtual = 0, resident = 0] = (readSmall(`${procRoot}/${pid}/statm`) ?? '').split(' ').map(Number)
  const limits = new LimitReader({ procRoot, sysRoot })
  limits.place(process)
  const limit = limits.tightest(process.id, virtual * pageBytes, host)
  return {
    kind: 'seen',
    process,
    sample: { process: process.id, atMs: nowMs, rssBytes: resident * pageBytes, limit },
  }
}

const nameProgram = (directory: string): string | undefined => {
  const mappings = parseMaps(readSmall(`${directory}/maps`) ?? '')
  return nameOtherPython({
    exe: readExe(directory) ?? '',
    cmdline: (readSmall(`${directory}/cmdline`) ?? '').split('\0'),
    mapped: mappings.map(({ path }) => path).filter((path) => path.startsWith('/')),
    is32Bit:
      mappings.length > 0 && mappings.every(({ path, end }) => path === '[vsyscall]' || end <= 2 ** 32),
  })
}
