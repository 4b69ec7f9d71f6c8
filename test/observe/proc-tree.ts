import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { tinyElf } from './tiny-elf.ts'

export const fixtures = new URL('../fixtures/proc', import.meta.url).pathname

/** A copy of the recorded machine that a test may change; the files that its executables link to are made here. */
export const copyMachine = () => {
  const root = mkdtempSync(join(tmpdir(), 'proc-tree-'))
  const proc = join(root, 'proc')
  cpSync(join(fixtures, 'machine'), proc, { recursive: true })

  const file = (path: string): string => join(root, 'files', path)
  const setExe = (pid: number, path: string, exports: readonly string[]): void => {
    mkdirSync(dirname(file(path)), { recursive: true })
    writeFileSync(file(path), tinyElf(exports))
    rmSync(join(proc, String(pid), 'exe'), { force: true })
    symlinkSync(file(path), join(proc, String(pid), 'exe'))
  }
  for (const name of readdirSync(proc).filter((entry) => /^\d+$/.test(entry))) {
    const path = readFile(join(proc, name, 'exe'))?.trim()
    if (path !== undefined)
      setExe(Number(name), path, path.includes('python') ? ['Py_AddPendingCall'] : ['main'])
  }
  return {
    proc,
    file,
    setExe,
    read: (path: string): string => readFileSync(join(proc, path), 'utf8'),
    write: (path: string, text: string): void => writeFileSync(join(proc, path), text),
    remove: (pid: number): void => rmSync(join(proc, String(pid)), { recursive: true }),
    copy: (from: number, to: number): void => {
      cpSync(join(proc, String(from)), join(proc, String(to)), { recursive: true, verbatimSymlinks: true })
    },
    hide: (): void => renameSync(proc, `${proc}.away`),
    [Symbol.dispose]: (): void => rmSync(root, { recursive: true }),
  }
}

const readFile = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
