import { readFileSync } from 'node:fs'
import { parseMaps } from '../proc/maps.ts'
import type { Standing } from './gdb-commands.ts'
import type { Service } from './service.ts'

/** Room that the stub and the interpreter's function need below the thread's stack pointer, many times over. */
const SPARE_BYTES = 64 * 1024
/** These use restartable sequences, which a detour in the middle would break. */
const RESTARTABLE = /\/(libtcmalloc|librseq)[^/]*$/

/**
 * Where the main thread may be interrupted in whatever it does: on its own stack with room left, and outside of code
 * that a detour could break.
 */
export function standingOfMain({ procRoot, id }: Service): Standing {
  const mappings = parseMaps(readFileSync(`${procRoot}/${id.pid}/maps`, 'latin1'))
  const end = mappings.find(({ path }) => path === '[stack]')?.end ?? 0
  const limit = /^Max stack size\s+(\d+)/m.exec(readFileSync(`${procRoot}/${id.pid}/limits`, 'latin1'))?.[1]
  const start = limit === undefined ? 0 : Math.max(0, end - Number(limit) + SPARE_BYTES)
  const butNotIn = mappings.filter(
    ({ path, permissions }) => permissions.includes('x') && RESTARTABLE.test(path),
  )
  return { kind: 'anywhere', stack: { start, end }, butNotIn }
}
