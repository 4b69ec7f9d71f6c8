import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { RunningService } from './service.ts'
import type { Suite } from './suites.ts'

/** Starts test/targets/NAME.py in a chroot of the suite and waits until it is ready. */
export async function startInSuite(
  { root }: Suite,
  python: string,
  name: string,
  ...args: readonly string[]
): Promise<RunningService> {
  copyFileSync(new URL(`../targets/${name}.py`, import.meta.url), join(root, 'tmp', `${name}.py`))
  const service = new RunningService('chroot', [root, python, `/tmp/${name}.py`, ...args])
  await service.said('ready')
  return service
}
