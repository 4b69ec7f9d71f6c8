import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { execaSync } from 'execa'

export type InstalledPython = { readonly path: string; readonly version: string }

/** Every CPython 3.8 or later on PATH, under /usr/bin and in pyenv, one of each version. */
export function findPythons(): readonly InstalledPython[] {
  const names = ['python3', ...Array.from({ length: 8 }, (_, n) => `python3.${n + 8}`)]
  const pyenv = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions')
  const directories = [
    '/usr/bin',
    '/usr/local/bin',
    ...(existsSync(pyenv) ? readdirSync(pyenv).map((version) => join(pyenv, version, 'bin')) : []),
  ]
  const found = new Map<string, string>()
  for (const directory of directories)
    for (const name of names) {
      const path = join(directory, name)
      if (existsSync(path)) found.set(realpathSync(path), path)
    }
  return [...found.values()]
    .map((path) => ({ path, version: versionOf(path) }))
    .filter(({ version }) => isSupported(version))
    .toSorted((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }))
}

function versionOf(path: string): string {
  const program = 'import platform; print(platform.python_implementation(), platform.python_version())'
  const { stdout } = execaSync(path, ['-c', program], { reject: false })
  return /^CPython (\S+)/.exec(stdout)?.[1] ?? ''
}

const isSupported = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major === 3 && minor >= 8
}
