import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { DumpFile } from '../model.ts'
import type { Unreadable } from './bounded-read.ts'
import { hashFile } from './hash-file.ts'
import { readManifest } from './read-dumps.ts'

/** What is wrong with one file of a dump. */
export type FileProblem = {
  readonly file: string
  readonly problem: 'missing' | 'not-a-file' | 'wrong-size' | 'wrong-sha256'
}

export type Verified = { readonly kind: 'verified'; readonly problems: readonly FileProblem[] }

/** Holds every file of a dump against the size and sha256 in its manifest. */
export async function verifyDump(dumpPath: string): Promise<Verified | Unreadable> {
  const manifest = await readManifest(dumpPath)
  if (manifest.kind === 'unreadable') return manifest
  const problems: FileProblem[] = []
  for (const file of manifest.value.files) {
    const problem = await verifyFile(join(dumpPath, file.name), file)
    if (problem !== undefined) problems.push({ file: file.name, problem })
  }
  return { kind: 'verified', problems }
}

async function verifyFile(path: string, expected: DumpFile): Promise<FileProblem['problem'] | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  )
  if (handle === undefined) return 'missing'
  try {
    const stat = await handle.stat()
    if (!stat.isFile()) return 'not-a-file'
    if (stat.size !== expected.bytes) return 'wrong-size'
    const { sha256 } = await hashFile(handle)
    return sha256 === expected.sha256 ? undefined : 'wrong-sha256'
  } finally {
    await handle.close()
  }
}
