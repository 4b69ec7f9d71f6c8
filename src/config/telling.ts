import { z } from 'zod'
import { type Hook, type MetricsPlaces, NOTICE_KINDS, type Webhook } from '../model.ts'
import { duration, name, path, section, webAddress } from './fields.ts'
import { quoted } from './words.ts'

/** The longest that a list of hooks or webhooks can be. */
export const MOST_RECEIVERS = 16

const HOUR_MS = 3_600_000

const on = () =>
  z.array(z.enum(NOTICE_KINDS)).min(1).prefault(['captured', 'failed', 'oom', 'disk-low']).meta({
    description:
      'What it is told: captured (a dump is published), failed (a capture failed, or its dump could not be written), oom (a watched process was killed by the OOM killer), disk-low (the store has less than store.reserve left).',
  })

/** One entry of `hooks`. */
export const hookSchema = section('A program that is run when something happens.', {
  name: name().meta({ description: 'Names it in the log and in metrics.' }),
  on: on(),
  run: z
    .array(z.string().max(1000))
    .min(1)
    .max(100)
    .refine(([program = '']) => program.startsWith('/'), {
      error: 'needs the absolute path of a program first',
    })
    .meta({ description: 'Its absolute path and its arguments. No shell is involved.' }),
  user: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]{0,31}$/)
    .prefault('nobody')
    .meta({ description: 'The user that it runs as, in the group pyheap, which may read dumps.' }),
  timeout: duration(1000, HOUR_MS).prefault('60s').meta({ description: 'It is ended after this.' }),
})

/** One entry of `webhooks`. */
export const webhookSchema = section('An address that is told when something happens.', {
  name: name().meta({ description: 'Names it in the log and in metrics.' }),
  on: on(),
  url: webAddress('https://hooks.example.com/services/...').optional().meta({ description: 'Its address.' }),
  url_file: path().optional().meta({ description: 'File with its address, where that is a secret.' }),
  format: z.enum(['slack', 'json']).prefault('slack').meta({
    description:
      'slack: a text, as Slack, Mattermost, Rocket.Chat and Discord (/slack) take it; json: everything as data.',
  }),
  token_file: path().optional().meta({ description: 'File with a token that it asks for.' }),
}).refine(({ url, url_file: urlFile }) => (url === undefined) !== (urlFile === undefined), {
  error: 'needs exactly one of url, url_file',
  when: ({ issues }) => issues.length === 0,
})

/** The section `metrics`. */
export const metricsSchema = section('Metrics for Prometheus.', {
  textfile: path()
    .regex(/\.prom$/, { error: 'has to end in .prom, or node_exporter does not read it' })
    .optional()
    .meta({
      description: "File that is written every 15 s, for node_exporter's textfile collector: ….prom.",
    }),
  listen: z
    .string()
    .regex(/^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\]):\d{1,5}$/, {
      error: ({ input }) =>
        `${quoted(String(input))} is no port of this machine alone: write 127.0.0.1:9713 (metrics have no password)`,
    })
    .optional()
    .meta({ description: 'Loopback address and port that answers GET /metrics.' }),
})

/** A hook that the schema has accepted. */
export const toHook = ({ timeout, ...hook }: z.output<typeof hookSchema>): Hook => ({
  ...hook,
  timeoutMs: timeout,
})

/** A webhook that the schema has accepted. */
export const toWebhook = (webhook: z.output<typeof webhookSchema>): Webhook => ({
  name: webhook.name,
  on: webhook.on,
  url:
    webhook.url === undefined
      ? { kind: 'file', file: webhook.url_file ?? '' }
      : { kind: 'plain', url: webhook.url },
  format: webhook.format,
  tokenFile: webhook.token_file,
})

/** Where metrics go, of a file that the schema has accepted. */
export const toMetricsPlaces = ({ textfile, listen }: z.output<typeof metricsSchema>): MetricsPlaces => {
  const [, host = '', port = ''] = /^\[?([^\]]*?)\]?:(\d+)$/.exec(listen ?? '') ?? []
  return { textfile, listen: listen === undefined ? undefined : { host, port: Number(port) } }
}
