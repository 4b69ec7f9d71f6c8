import type { Webhook } from '../model.ts'
import { webhookBody } from '../report/webhook-body.ts'
import type { Receiver } from './deliver.ts'
import { readSecret, sendPatiently } from './send.ts'

/** Posts notices to an address. Secrets are read when they are used, so that a new one needs no reload. */
export const webhookReceiver = (webhook: Webhook, signal: AbortSignal, pausesMs = PAUSES_MS): Receiver => ({
  name: webhook.name,
  on: webhook.on,
  tell: async (notice) => {
    const { url: place, tokenFile } = webhook
    const url = place.kind === 'plain' ? place.url : await readSecret(place.file)
    const token = tokenFile === undefined ? undefined : await readSecret(tokenFile)
    if (url instanceof Error) return url.message
    if (token instanceof Error) return token.message
    const headers = {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    }
    const problem = await sendPatiently(
      { url, headers, body: webhookBody(notice, webhook.format) },
      signal,
      pausesMs,
    )
    // The address may be the secret.
    return place.kind === 'file' ? problem?.replaceAll(url, place.file) : problem
  },
})

const PAUSES_MS = [2000, 15_000, 60_000]
