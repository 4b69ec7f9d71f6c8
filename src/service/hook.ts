import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Hook, Notice } from '../model.ts'
import { visible } from '../report/visible.ts'
import type { Receiver } from './deliver.ts'

export type HookPlace = {
  /** Notices lie there while a hook runs. */
  readonly dir: string
  /** Writes a file that root and the group pyheap can read, in a folder that they can enter; answers why it could not. */
  readonly write: (path: string, text: string) => Promise<string | undefined>
  readonly hasGroup: boolean
  /** Whether systemd runs it, outside our own sandbox and cgroup. */
  readonly isSystemd: boolean
}

/** Whether this machine is run by systemd, and we by it. */
export const runsUnderSystemd = (env: NodeJS.ProcessEnv): boolean =>
  env['INVOCATION_ID'] !== undefined && existsSync('/run/systemd/system')

/** Runs a program as its own user for every notice, with the notice in a file and the chief of it in the environment. */
export const hookReceiver = (hook: Hook, place: HookPlace): Receiver => ({
  name: hook.name,
  on: hook.on,
  tell: async (notice) => {
    const file = join(place.dir, `${process.hrtime.bigint()}.json`)
    try {
      const problem = await place.write(file, `${JSON.stringify(notice, null, 1)}\n`)
      if (problem !== undefined) return problem
      return await run(hook, hookEnvironment(notice, file), place)
    } finally {
      await rm(file, { force: true })
    }
  },
})

/** What a hook finds in its environment. */
export const hookEnvironment = (notice: Notice, file: string): Readonly<Record<string, string>> => {
  const { event, at, host, message, target, pid, unit, rule, dump, verdict, headline, reason } = notice
  const given = { event, at, host, message, target, pid, unit, rule, dump, verdict, headline, reason }
  const entries = Object.entries({ ...given, notice: file }).flatMap(([name, value]) =>
    value === undefined ? [] : [[`PYHEAP_${name.toUpperCase()}`, visible(String(value), 4000)] as const],
  )
  return Object.fromEntries(entries)
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const GRACE_MS = 2000
const MOST_SAID = 2000

/** The command that runs it as its user and in the group pyheap, under systemd outside of our sandbox. */
export function hookCommand(
  { name, run: argv, user, timeoutMs }: Hook,
  env: Readonly<Record<string, string>>,
  { isSystemd, hasGroup }: HookPlace,
): readonly string[] {
  const group = hasGroup ? 'pyheap' : 'nogroup'
  if (!isSystemd)
    return [
      'setpriv',
      `--reuid=${user}`,
      `--regid=${group}`,
      '--clear-groups',
      '--no-new-privs',
      '--',
      ...argv,
    ]
  const properties = [
    `User=${user}`,
    ...(hasGroup ? [`SupplementaryGroups=${group}`] : []),
    `RuntimeMaxSec=${timeoutMs / 1000}`,
    `TimeoutStopSec=${GRACE_MS / 1000}`,
    'NoNewPrivileges=yes',
  ]
  return [
    'systemd-run',
    '--quiet',
    '--collect',
    '--wait',
    `--description=Hook ${name} of pyheap-watchd`,
    ...properties.map((property) => `--property=${property}`),
    ...Object.entries(env).map(([key, value]) => `--setenv=${key}=${value}`),
    '--',
    ...argv,
  ]
}

/** Runs it to its end or its timeout; answers what went wrong, with the end of what it said. */
function run(
  hook: Hook,
  env: Readonly<Record<string, string>>,
  place: HookPlace,
): Promise<string | undefined> {
  const [program = '', ...argv] = hookCommand(hook, env, place)
  return new Promise((resolve) => {
    // A group of its own, so that what it has started ends with it.
    const child = spawn(program, argv, {
      cwd: '/',
      env: { PATH, ...(place.isSystemd ? {} : env) },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let said = ''
    let isLate = false
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (part: Buffer) => {
        said = `${said}${part.toString('utf8')}`.slice(-MOST_SAID)
      })
    const signal = (name: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, name)
      } catch {
        return // it has ended
      }
    }
    // systemd ends it by itself; what waits for that is ended a little later.
    const limitMs = hook.timeoutMs + (place.isSystemd ? 3 * GRACE_MS : 0)
    const late = setTimeout(() => {
      isLate = true
      signal('SIGTERM')
    }, limitMs)
    const last = setTimeout(() => signal('SIGKILL'), limitMs + GRACE_MS)
    const finish = (problem: string | undefined): void => {
      clearTimeout(late)
      clearTimeout(last)
      resolve(problem)
    }
    child.on('error', (error) => finish(error.message))
    child.on('exit', () => signal('SIGKILL'))
    child.on('close', (code, signalled) => {
      const end = visible(said.trim().replaceAll(/\s+/g, ' '), 500)
      const how = isLate ? `ended after ${hook.timeoutMs} ms` : `exit ${code ?? signalled ?? ''}`
      finish(code === 0 && !isLate ? undefined : `${how}${end === '' ? '' : `: ${end}`}`)
    })
  })
}
