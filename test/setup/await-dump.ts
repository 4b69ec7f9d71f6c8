import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** The path of the first whole dump in the directory of a target, as soon as there is one. */
export async function awaitDump(directory: string): Promise<string> {
  for (let tries = 0; tries < 600; tries++) {
    const found = existsSync(directory) ? readdirSync(directory) : []
    const whole = found.find((name) => !name.endsWith('.partial'))
    if (whole !== undefined) return join(directory, whole)
    await sleep(100)
  }
  throw new Error('no dump')
}
