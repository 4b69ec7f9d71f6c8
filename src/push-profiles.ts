import { hostname } from 'node:os'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Log } from './log.ts'
import type { ProfileStore } from './model.ts'
import { renderPprof } from './report/export/pprof.ts'
import { pushRequest, type PushRequest } from './report/export/push-request.ts'
import { type Post, readSecret, sendPatiently } from './service/send.ts'
import { readDump } from './store/read-dumps.ts'

const compress = promisify(gzip)

/**
 * Sends what a dump says of its owners to the profile stores, one after the other. The watch does not wait for it, and a
 * store that does not answer is told in the log.
 */
export async function pushProfiles(
  dumpPath: string,
  stores: readonly ProfileStore[],
  log: Pick<Log, 'info' | 'warn'>,
  signal: AbortSignal,
): Promise<void> {
  if (stores.length === 0) return
  const read = await readDump(dumpPath)
  const plain = read.kind === 'read' ? renderPprof(read.dump, 'owners') : undefined
  if (read.kind !== 'read' || plain === undefined) return
  const profile = await compress(plain)
  for (const store of stores) {
    const fields = { dump: read.dump.id, store: store.kind, url: store.url }
    const token = store.tokenFile === undefined ? undefined : await readSecret(store.tokenFile)
    if (token instanceof Error) {
      log.warn({ ...fields, detail: token.message }, 'the profile was not pushed')
      continue
    }
    const request = pushRequest(store, read.dump.manifest, {
      profile,
      host: read.dump.manifest.machine?.host ?? hostname(),
      token,
    })
    const problem = await sendPatiently(postOf(request), signal)
    if (problem === undefined) log.info(fields, 'the profile was pushed')
    else log.warn({ ...fields, detail: problem }, 'the profile was not pushed')
  }
}

const postOf = ({ url, headers, body }: PushRequest): Post => ({
  url,
  headers,
  body: body.kind === 'json' ? body.text : formOf(body),
})

function formOf({ fields, profile }: Extract<PushRequest['body'], { kind: 'form' }>): FormData {
  const form = new FormData()
  form.append('profile', new Blob([profile]), 'profile.pprof')
  for (const [name, value] of Object.entries(fields)) form.append(name, new Blob([value]), `${name}.json`)
  return form
}
