import { execa } from 'execa'
import type { Attempt } from './attempt.ts'

const TIMEOUT_MS = 15_000
const CENSUS = 'import gc, collections; collections.Counter(type(o).__name__ for o in gc.get_objects())'

/** What older tools do: gdb stops the service wherever it is, and has it run Python code right there. */
export async function injectPlainly(pid: number): Promise<Attempt> {
  const commands = [
    'set $gil = (int)PyGILState_Ensure()',
    `call (int)PyRun_SimpleString(${JSON.stringify(CENSUS)})`,
    'call (void)PyGILState_Release($gil)',
  ]
  const began = performance.now()
  const { stdout, stderr, timedOut } = await execa(
    'gdb',
    [
      '-nx',
      '-batch',
      '-iex',
      'set debuginfod enabled off',
      '-iex',
      'handle all nostop noprint pass',
      '-p',
      String(pid),
      ...commands.flatMap((command) => ['-ex', command]),
    ],
    { reject: false, stdin: 'ignore', timeout: TIMEOUT_MS, killSignal: 'SIGKILL' },
  )
  if (timedOut) return { kind: 'failed', reason: 'hung', detail: `gdb was not done after ${TIMEOUT_MS} ms` }
  if (!/^\$1 = 0$/m.test(stdout))
    return { kind: 'failed', reason: 'gdb-failed', detail: `${stdout} ${stderr}`.trim().slice(-300) }
  return { kind: 'complete', snapshots: 1, pauseMs: performance.now() - began }
}
