import type { Notice, Webhook } from '../model.ts'
import { formatBytes } from './format.ts'

/** What a webhook is sent, as JSON. */
export const webhookBody = (notice: Notice, format: Webhook['format']): string =>
  JSON.stringify(format === 'json' ? notice : { text: slackText(notice) })

const MARKS: Readonly<Record<Notice['event'], string>> = {
  captured: ':mag:',
  failed: ':warning:',
  oom: ':boom:',
  'disk-low': ':floppy_disk:',
}

/** Headline first; as Slack, Mattermost and their like read it. */
function slackText(notice: Notice): string {
  const { event, host, message, headline, suspects = [], detail, hint, dump, pause_ms: pauseMs } = notice
  const lines = [
    `${MARKS[event]} *${escape(host)}*: ${escape(message)}`,
    headline !== undefined && `> ${escape(headline)}`,
    ...suspects
      .slice(0, 3)
      .map(
        ({ title, bytes, confidence }) =>
          `• ${escape(title)} (${formatBytes(bytes)}, ${confidence} confidence)`,
      ),
    detail !== undefined && escape(detail),
    hint !== undefined && `_${escape(hint)}_`,
    dump !== undefined &&
      `\`${escape(dump)}\`${pauseMs === undefined ? '' : ` (stood still for ${pauseMs} ms)`}`,
  ]
  return lines
    .filter((line) => line !== false)
    .join('\n')
    .slice(0, MOST_CHARACTERS)
}

// Slack cuts longer ones off, or refuses them.
const MOST_CHARACTERS = 3500

/** A name that a service has chosen must neither mention people nor make links. */
const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('`', '\u02cb')
