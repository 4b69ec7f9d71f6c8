import type { CaptureFailure } from '../../src/model.ts'

/** When a target is captured: while it runs, while SIGSTOP holds it, or right after its start or its SIGTERM. */
export type Moment = 'running' | 'stopped' | 'starting' | 'ending'

/** One row of the torture: a state of test/targets/torture in surroundings, at a moment. */
export type Case = {
  readonly name: string
  readonly state: string
  readonly surroundings: string
  readonly moment: Moment
  /** A Python package that the target needs besides the standard library. */
  readonly needs?: string
  /** Reasons for which it is right not to capture it. */
  readonly mayRefuse: readonly CaptureFailure[]
}

const RESTING =
  'sleep select poll epoll receive timed-lock condition queue signal-wait wait4 wait-for-ever read accept lock pause flock join'
const BUSY = 'malloc collect recursion generators exceptions native released held'
const THREADS = 'workers idle-main crowd churn'
const SIGNALS = 'timers flood disturbed'
const CHILDREN = 'forking reaping spawning master worker pool'
const LOOPS = 'echo watcher watcher-threaded watcher-safe watcher-fast'

const SURROUNDINGS =
  'nobody no-new-privs non-dumpable locked-down subreaper user-namespace init read-only empty-root'.split(' ')

const make = (state: string, changes: Partial<Case> = {}): Case => ({
  name: state,
  state,
  surroundings: 'plain',
  moment: 'running',
  mayRefuse: [],
  ...changes,
})

const within = (state: string, surroundings: string, mayRefuse: readonly CaptureFailure[] = []): Case =>
  make(state, { name: `${state}@${surroundings}`, surroundings, mayRefuse })

/** Everything that is tortured. */
export const CASES: readonly Case[] = [
  ...[RESTING, BUSY, THREADS, SIGNALS, CHILDREN, LOOPS]
    .join(' ')
    .split(' ')
    .map((state) => make(state)),
  make('gunicorn', { needs: 'gunicorn' }),
  make('replacing', { mayRefuse: ['gone', 'not-python'] }),
  make('uninterruptible', { mayRefuse: ['not-capturable-state'] }),
  make('traced', { mayRefuse: ['already-traced'] }),
  make('malloc', { name: 'stopped', moment: 'stopped', mayRefuse: ['stopped'] }),
  make('malloc', { name: 'starting', moment: 'starting', mayRefuse: ['gone', 'not-python'] }),
  make('workers', { name: 'ending', moment: 'ending', mayRefuse: ['gone'] }),
  ...SURROUNDINGS.flatMap((surroundings) =>
    ['select', 'malloc', 'idle-main'].map((state) => within(state, surroundings)),
  ),
  within('reaping', 'subreaper'),
  within('master', 'init'),
  within('select', 'seccomp-mild', ['seccomp-would-kill']),
  within('malloc', 'seccomp-mild', ['seccomp-would-kill']),
  within('malloc', 'seccomp-deadly', ['seccomp-would-kill']),
]
