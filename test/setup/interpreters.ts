import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { execaSync } from 'execa'

export type InstalledPython = { readonly path: string; readonly version: string }

/** Every CPython 3.8 or later on PATH, under /usr/bin, in pyenv and in $PYHEAP_PYTHONS, each file once. */
export const findPythons = (): readonly InstalledPython[] => installed('with a GIL')

/** The free-threaded builds in the same places. */
export const findFreeThreadedPythons = (): readonly InstalledPython[] => installed('without')

function installed(kind: 'with a GIL' | 'without'): readonly InstalledPython[] {
  const names = [
    'python3',
    ...Array.from({ length: 8 }, (_, n) => [`python3.${n + 8}`, `python3.${n + 8}t`]).flat(),
  ]
  const pyenv = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions')
  const directories = [
    '/usr/bin',
    '/usr/local/bin',
    ...(existsSync(pyenv) ? readdirSync(pyenv).map((version) => join(pyenv, version, 'bin')) : []),
    ...(process.env['PYHEAP_PYTHONS'] ?? '').split(':').filter(Boolean),
  ]
  const found = new Map<string, string>()
  for (const directory of directories)
    for (const name of names) {
      const path = join(directory, name)
      if (existsSync(path)) found.set(realpathSync(path), path)
    }
  return [...found.values()]
    .map(ask)
    .filter((python) => isSupported(python.version) && python.kind === kind)
    .toSorted((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }))
}

const PROGRAM = `
import platform, sysconfig
kind = "without" if sysconfig.get_config_var("Py_GIL_DISABLED") else "with a GIL"
print(platform.python_implementation(), platform.python_version(), kind)
`

function ask(path: string): InstalledPython & { readonly kind: string } {
  const { stdout } = execaSync(path, ['-c', PROGRAM], { reject: false })
  const [, version = '', kind = ''] = /^CPython (\S+) (.*)$/.exec(stdout) ?? []
  return { path, version, kind }
}

const isSupported = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major === 3 && minor >= 8
}
