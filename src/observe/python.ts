import { open } from 'node:fs/promises'
import { readlinkSync } from 'node:fs'
import type { PythonProcess } from '../model.ts'
import { exportsSymbol } from './elf-exports.ts'
import { createLoginNames } from './login-names.ts'
import { containerOf } from '../proc/container.ts'
import { memoryCgroup, parseCgroup, systemdUnit } from '../proc/parse-cgroup.ts'
import { findLibpython } from './find-libpython.ts'
import { parseStat } from '../proc/parse-stat.ts'
import { effectiveUid, insidePid, parseStatus } from '../proc/parse-status.ts'
import { readPieces, readSmall } from './read-proc.ts'

/** Says whether a process runs CPython and if so who it is; undefined when it does not, or is gone. */
export type InspectProcess = (pid: number) => Promise<PythonProcess | undefined>

export type InspectorOptions = {
  readonly procRoot: string
  readonly passwdFile: string
  readonly bootId: string
}

/**
 * An inspector that goes by what is mapped and by what the executable exports, never by a name that the process could
 * choose. May block on a hostile file system: give it a time limit.
 */
export const createInspector = ({ procRoot, passwdFile, bootId }: InspectorOptions): InspectProcess => {
  const holdsInterpreter = createInterpreterCheck()
  const loginName = createLoginNames(passwdFile)

  return async (pid) => {
    const directory = `${procRoot}/${pid}`
    const before = identify(directory)
    if (before === undefined) return undefined
    const libpython = await findMappedLibpython(directory)
    const interpreter = libpython ?? ((await holdsInterpreter(`${directory}/exe`)) ? before.exe : undefined)
    if (interpreter === undefined) return undefined

    const cmdline = await readCmdline(directory)
    const cgroups = parseCgroup(readSmall(`${directory}/cgroup`) ?? '')
    const status = parseStatus(readSmall(`${directory}/status`) ?? '')
    const uid = effectiveUid(status)
    const after = identify(directory)
    // Half of one program and half of the next is worse than nothing: the next look will see one of them whole.
    if (after === undefined || uid === undefined || before.image !== after.image) return undefined
    if (before.startTicks !== after.startTicks) return undefined

    const unit = systemdUnit(cgroups)
    const container = containerOf(cgroups)
    const inside = insidePid(status)
    return {
      id: { bootId, pid, startTicks: after.startTicks },
      parentPid: after.parentPid,
      exe: after.exe,
      interpreter,
      cmdline,
      uid,
      user: loginName(uid),
      cgroup: memoryCgroup(cgroups) ?? '/',
      ...(unit === undefined ? {} : { unit }),
      ...(container === undefined ? {} : { container }),
      ...(inside === undefined ? {} : { insidePid: inside }),
    }
  }
}

/** The executable of a process; undefined for kernel threads, zombies and the gone. */
export const readExe = (directory: string): string | undefined => {
  try {
    return readlinkSync(`${directory}/exe`)
  } catch {
    return undefined
  }
}

// Enough for the kernel's default of 65,530 mappings with paths of 250 characters.
const MAX_MAPS_BYTES = 16 * 1024 * 1024
const MAX_CMDLINE_BYTES = 64 * 1024
const MAX_KNOWN_EXECUTABLES = 1024

const identify = (directory: string) => {
  const stat = parseStat(readSmall(`${directory}/stat`) ?? '')
  const exe = readExe(directory)
  return stat === undefined || stat.isKernelThread || exe === undefined ? undefined : { ...stat, exe }
}

const findMappedLibpython = async (directory: string): Promise<string | undefined> => {
  let found: string | undefined
  let rest = Buffer.alloc(0)
  try {
    await readPieces(`${directory}/maps`, MAX_MAPS_BYTES, (piece) => {
      const text = Buffer.concat([rest, piece])
      const end = text.lastIndexOf('\n') + 1
      found = findLibpython(text.toString('utf8', 0, end))
      rest = end === 0 ? Buffer.alloc(0) : text.subarray(end)
      return found !== undefined
    })
  } catch {
    return undefined
  }
  return found
}

// The executable is opened through /proc, so that it is found in containers and after its deletion. Many processes
// share one, so each version of a file is looked into once.
const createInterpreterCheck = (): ((path: string) => Promise<boolean>) => {
  const known = new Map<string, boolean>()
  return async (path) => {
    try {
      const file = await open(path, 'r')
      try {
        const { dev, ino, mtimeNs, size } = await file.stat({ bigint: true })
        const version = `${dev}:${ino}:${mtimeNs}:${size}`
        const answer = known.get(version) ?? (await exportsSymbol(file, 'Py_AddPendingCall'))
        if (known.size >= MAX_KNOWN_EXECUTABLES) known.clear()
        known.set(version, answer)
        return answer
      } finally {
        await file.close()
      }
    } catch {
      return false
    }
  }
}

const readCmdline = async (directory: string): Promise<readonly string[]> => {
  const pieces: Buffer[] = []
  try {
    await readPieces(`${directory}/cmdline`, MAX_CMDLINE_BYTES, (piece) => {
      pieces.push(Buffer.from(piece))
      return false
    })
  } catch {
    return []
  }
  const text = Buffer.concat(pieces).toString('utf8')
  // A process that renamed itself may leave any number of zeros behind its name.
  const end = text.search(/\0*$/)
  return end === 0 ? [] : text.slice(0, end).split('\0')
}
