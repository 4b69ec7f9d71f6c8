import type { LogLine } from './log-line.ts'
import type { ToldEvent } from './told-event.ts'

/** The line that tells of a dump that was sent, or was not. */
export function uploadLine({
  dump,
  place,
  bytes,
  left,
  problem,
}: Extract<ToldEvent, { readonly kind: 'uploaded' }>): LogLine {
  if (problem === undefined)
    return { level: 'info', fields: { dump, place, bytes, left }, message: 'dump sent' }
  const { detail, hint } = problem
  return {
    level: 'warn',
    fields: { dump, place, left, detail, hint },
    message: 'dump not sent, it is tried again',
  }
}
