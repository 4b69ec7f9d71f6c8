import { join } from 'node:path'
import { processKey, type Ending } from '../model.ts'
import { keyOf } from './find-baseline.ts'
import { findGroupId } from './group.ts'
import type { StoreFailed } from './io-failure.ts'
import { parseDumpName } from './layout.ts'
import type { StorePlace } from './place.ts'
import { listDumpPlaces, readManifest } from './read-dumps.ts'
import { replaceFileSafely } from './write-safely.ts'

/** Writes how processes have ended beside what each of their dumps says; answers what could not be written. */
export async function noteEndings(
  place: StorePlace,
  endings: readonly Ending[],
): Promise<readonly StoreFailed[]> {
  if (endings.length === 0) return []
  const byPid = new Map(endings.map((ending) => [ending.process.pid, ending]))
  const gid = await findGroupId(place.groupFile, 'pyheap')
  const failed: StoreFailed[] = []
  const { places } = await listDumpPlaces(place.dir)
  for (const { id, path } of places) {
    const ending = byPid.get(parseDumpName(id.slice(id.indexOf('/') + 1))?.pid ?? 0)
    if (!ending || !(await isOf(ending, path))) continue
    const problem = await replaceFileSafely(
      join(path, 'ending.json'),
      `${JSON.stringify(ending, null, 1)}\n`,
      gid,
    )
    if (problem) failed.push(problem)
  }
  return failed
}

/** A pid alone may be another process's by now, or after a reboot. */
async function isOf(ending: Ending, path: string): Promise<boolean> {
  const manifest = await readManifest(path)
  return manifest.kind === 'valid' && keyOf(manifest.value) === processKey(ending.process)
}
