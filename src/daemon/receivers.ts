import { dirname, join } from 'node:path'
import type { Config } from '../config/config.ts'
import { places } from '../installation.ts'
import type { Receiver } from '../service/deliver.ts'
import { hookReceiver, runsUnderSystemd } from '../service/hook.ts'
import { journalReceiver } from '../service/journal.ts'
import { webhookReceiver } from '../service/webhook.ts'
import { makeDirectory, writeFileSafely } from '../store/write-safely.ts'

/** Who is told of what happens: the journal where we write into it, hooks and webhooks. */
export function receiversOf(
  { hooks, webhooks }: Pick<Config, 'hooks' | 'webhooks'>,
  env: NodeJS.ProcessEnv,
  gid: number | undefined,
  signal: AbortSignal,
): readonly Receiver[] {
  const place = {
    dir: join(places.runDir, 'notices'),
    write: async (path: string, text: string) => {
      await makeDirectory(dirname(path), gid)
      return (await writeFileSafely(path, Buffer.from(text), gid))?.detail
    },
    hasGroup: gid !== undefined,
    isSystemd: runsUnderSystemd(env),
  }
  return [
    ...(env['JOURNAL_STREAM'] === undefined ? [] : [journalReceiver(process.pid)]),
    ...hooks.map((hook) => hookReceiver(hook, place)),
    ...webhooks.map((webhook) => webhookReceiver(webhook, signal)),
  ]
}
