import type { Ending, Observation, ProcessId, WatchedProcess } from '../model.ts'
import { containerLine } from './container-line.ts'
import { containerName } from './container-text.ts'
import type { LogLine } from './log-line.ts'

/** The lines that tell what a look has found. */
export const observationLines = ({
  appeared,
  gone,
  endings = [],
  problems = [],
  dismissed = [],
  containers = [],
}: Observation): readonly LogLine[] => [
  ...appeared.map((process) => logAppeared(process)),
  ...containers.map((news) => containerLine(news)),
  ...dismissed.map(({ pid }): LogLine => ({
    level: 'info',
    fields: { pid },
    message: 'process watched no more',
  })),
  ...gone
    .filter((process) => !dismissed.includes(process))
    .map((process) =>
      logGone(
        process,
        endings.find((ending) => ending.process === process),
      ),
    ),
  ...problems.map((problem): LogLine => ({ level: 'warn', fields: { problem }, message: 'not observed' })),
]

function logGone({ pid }: ProcessId, ending: Ending | undefined): LogLine {
  if (ending?.how === 'replaced')
    return { level: 'info', fields: { pid }, message: 'process runs another program' }
  if (ending?.how !== 'oom-killed') return { level: 'info', fields: { pid }, message: 'process gone' }
  const { at, oom } = ending
  const fields = { pid, at, within: oom?.within, anonBytes: oom?.anonBytes, fileBytes: oom?.fileBytes }
  return { level: 'warn', fields, message: 'process killed by the OOM killer' }
}

const logAppeared = ({ id, target, exe, user, unit, container, insidePid }: WatchedProcess): LogLine => ({
  level: 'info',
  fields: {
    pid: id.pid,
    insidePid,
    target,
    exe,
    user,
    unit,
    container: container && containerName(container),
  },
  message: 'process found',
})
