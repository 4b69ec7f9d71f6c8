import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { extract } from 'tar'
import { z } from 'zod'
import { unreadable, type Unreadable } from '../bounded-read.ts'
import { dumpFileLimits } from '../dump-files.ts'
import { parseDumpName } from '../layout.ts'
import { verifyDump } from '../verify-dump.ts'
import { MANIFEST_NAME } from './pack.ts'

const MOST_ENTRIES = 10_000
const MOST_BYTES = 64 * 2 ** 30

const manifestSchema = z.object({
  format: z.literal(1),
  dumps: z.array(z.object({ id: z.string() })).max(1000),
})

export type Unpacked = { readonly kind: 'unpacked'; readonly ids: readonly string[] }

/**
 * Unpacks an archive of dumps into an empty folder, which is a store then. It may come from anywhere: only plain files by
 * the names and sizes of a dump's are taken, and every file is held against its checksum.
 */
export async function unpackArchive(file: string, into: string): Promise<Unpacked | Unreadable> {
  let entries = 0
  let bytes = 0
  let refused: string | undefined
  const takes = (path: string, type: string, size: number): boolean => {
    entries += 1
    bytes += size
    if (type === 'Directory') return isFolder(path)
    const isGood = type === 'File' && isDumpFile(path, size) && entries <= MOST_ENTRIES && bytes <= MOST_BYTES
    if (!isGood) refused ??= path.slice(0, 200)
    return isGood
  }
  try {
    await extract({
      file,
      cwd: into,
      strict: true,
      noMtime: true,
      preserveOwner: false,
      filter: (path, entry) => takes(path, 'type' in entry ? entry.type : 'File', entry.size),
    })
    if (refused !== undefined)
      return unreadable(file, `has ${JSON.stringify(refused)}, which is no file of a dump`)
    const { dumps } = manifestSchema.parse(JSON.parse(await readFile(join(into, MANIFEST_NAME), 'utf8')))
    for (const { id } of dumps) {
      if (!isFolder(`${id}/`)) return unreadable(file, `names ${JSON.stringify(id)}, which is no dump`)
      const problem = await findProblem(join(into, id))
      if (problem !== undefined) return unreadable(file, `${id}: ${problem}`)
    }
    return { kind: 'unpacked', ids: dumps.map(({ id }) => id) }
  } catch (error) {
    return unreadable(file, error instanceof Error ? error.message.slice(0, 300) : String(error))
  }
}

async function findProblem(dump: string): Promise<string | undefined> {
  const verified = await verifyDump(dump)
  if (verified.kind === 'unreadable') return verified.detail
  const [problem] = verified.problems
  return problem && `${problem.file} is ${problem.problem}`
}

const PART = /^[^/\0]{1,200}$/

const isFolder = (path: string): boolean => {
  const [target = '', name, ...rest] = path.replace(/\/$/, '').split('/')
  const isGood = PART.test(target) && target !== '.' && target !== '..'
  return isGood && rest.length === 0 && (name === undefined || parseDumpName(name) !== undefined)
}

function isDumpFile(path: string, size: number): boolean {
  if (path === MANIFEST_NAME) return size <= 2 ** 24
  const at = path.lastIndexOf('/')
  const name = path.slice(at + 1)
  const limits: Readonly<Record<string, number>> = dumpFileLimits
  return path.split('/').length === 3 && isFolder(path.slice(0, at)) && size <= (limits[name] ?? -1)
}
