import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import type { OnOutput, Ran, Source } from '../capture/console.ts'
import { readLiveSource } from '../capture/live-source.ts'
import { type RanLive, runLive } from '../capture/run-live.ts'
import { type ServiceSettings, withService } from '../capture/with-service.ts'
import { installation } from '../installation.ts'
import type { CaptureFailed, PythonProcess } from '../model.ts'
import type { CodeSession } from './code-session.ts'

/** Half of what there is room for: JSON makes a character longer. */
const MOST_CHARACTERS = 512 * 1024

const Answer = z.object({
  kind: z.enum(['finished', 'raised', 'incomplete', 'left', 'failed']),
  output: z.string(),
  error: z.string(),
  cut: z.boolean(),
})

type LiveSettings = ServiceSettings & { readonly paths: readonly string[]; readonly timeoutMs: number }

/**
 * A Python in the service itself. Every statement is a visit of its own, after which the service runs on; what the
 * statements name is kept there until the session is closed.
 */
export async function openLiveSession(
  process: PythonProcess,
  settings: LiveSettings,
): Promise<CodeSession | CaptureFailed> {
  const keep = `__pyheap_${randomBytes(4).toString('hex')}__`
  const visit = async (source: Source): Promise<RanLive | CaptureFailed> => {
    const request = {
      source: source.text.toString('utf8'),
      name: source.filename,
      mode: source.mode,
      limit: MOST_CHARACTERS,
      paths: settings.paths.join('\n'),
      keep,
    }
    const text = readLiveSource(join(installation.live, 'exec.py'), request)
    return withService(process, settings, async ({ service }) => runLive(service, text, settings.timeoutMs))
  }
  const takenAt = new Date()
  const first = await visit(aboutPython)
  if (first.kind === 'failed') return first
  return {
    pid: process.id.pid,
    cmdline: process.cmdline,
    pythonVersion: parseAnswer(first.result)?.output.trim().slice(0, 40) ?? '?',
    takenAt,
    method: first.method,
    pauseMs: Math.round(first.pauseMs * 10) / 10,
    isLive: true,
    run: async (source, onOutput) => tellRun(await visit(source), onOutput),
    complete: async () => [],
    interrupt: () => undefined, // a signal would be one to the service
    close: async () => {
      await visit({ mode: 'exec', filename: '', text: Buffer.alloc(0) })
    },
  }
}

const aboutPython: Source = {
  mode: 'exec',
  filename: '<pyheapctl>',
  text: Buffer.from('import sys\nprint("%d.%d.%d" % sys.version_info[:3])'),
}

function tellRun(ran: RanLive | CaptureFailed, onOutput: OnOutput): Ran {
  if (ran.kind === 'failed') return { kind: 'gone', why: ran.detail }
  const answer = parseAnswer(ran.result)
  if (!answer) return { kind: 'gone', why: 'what the process answered makes no sense' }
  if (answer.output !== '') onOutput('out', answer.output)
  return { kind: answer.kind, error: answer.error, isCut: answer.cut }
}

function parseAnswer(result: Buffer): z.infer<typeof Answer> | undefined {
  try {
    return Answer.safeParse(JSON.parse(result.toString('utf8'))).data
  } catch {
    return undefined
  }
}
