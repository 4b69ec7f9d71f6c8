import type { ContainerNews } from '../model.ts'
import type { LogLine } from './log-line.ts'
import { visible } from './visible.ts'

/** What there is to tell of containers, in the log. */
export function containerLine(news: ContainerNews): LogLine {
  const { kind, ...fields } = news
  switch (kind) {
    case 'pods-unknown':
      return { level: 'warn', fields, message: 'cannot ask for pods: they are watched without their names' }
    case 'pods-known':
      return { level: 'info', fields, message: 'pods tell their names again' }
    case 'bad-annotation':
      return { level: 'warn', fields, message: 'an annotation of a pod cannot be understood, and is ignored' }
    case 'opted-out':
      return { level: 'info', fields, message: 'pod is not watched, as its annotation says' }
    default:
      return kind satisfies never
  }
}

/** The same for a terminal. */
export function containerText(news: ContainerNews): string {
  const { message, fields } = containerLine(news)
  const parts = Object.values(fields).map((value) => visible(String(value), 300))
  return `${message}: ${parts.join(': ')}`
}
