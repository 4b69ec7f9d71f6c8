// A daemon in small, to be killed: `capturer RUN_DIR PID KIND…` mends what an earlier one has left behind, captures once, and
// prints what came of it as a line of JSON.
import { recoverFromCrash } from '../../src/capture/recover-from-crash.ts'
import type { CaptureKind } from '../../src/model.ts'
import { captureProcess, captureSettings } from '../setup/capture.ts'

const [runDir = '', pid = '', ...kinds] = process.argv.slice(2)
process.stdout.write('recovering\n')
const recovered = recoverFromCrash({ procRoot: '/proc', runDir })
const settings = await captureSettings({ runDir, kinds: kinds as CaptureKind[], timeoutMs: 30_000 })
const outcome = await captureProcess(Number(pid), settings)
const answer =
  outcome.kind === 'failed'
    ? { kind: 'failed', reason: outcome.reason, detail: outcome.detail }
    : { kind: outcome.census.complete ? 'complete' : 'incomplete' }
process.stdout.write(`${JSON.stringify({ recovered, ...answer })}\n`)
