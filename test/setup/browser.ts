import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'

const chromium = '/usr/bin/chromium'

/** Why there is no browser to look with, or false. */
export const withoutBrowser = existsSync(chromium)
  ? false
  : `${chromium} is missing (Debian package chromium)`

/** What a page is when its scripts have run. */
export async function openInBrowser(address: string, scratch: string): Promise<string> {
  const { stdout } = await execa(
    chromium,
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-component-update',
      '--disable-background-networking',
      '--disable-sync',
      `--user-data-dir=${join(scratch, 'profile')}`,
      '--virtual-time-budget=2000',
      '--dump-dom',
      address,
    ],
    { timeout: 60_000 },
  )
  return stdout
}
