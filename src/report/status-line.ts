import { formatBytes } from './format.ts'
import type { ServiceState } from './service-state.ts'
import { visible } from './visible.ts'

/** One line for `systemctl status`: what is wrong first, then what is watched, then what happened last. */
export function statusLine(state: ServiceState, nowMs: number): string {
  const { processes, targets, rules, last, disk, refused, pausedUntilMs, isCapturing, uploads } = state
  const count = processes.size
  const parts = [
    refused !== undefined &&
      `configuration REFUSED, the old one is in force (${refused[0] ?? ''}${refused.length > 1 ? `, and ${refused.length - 1} more` : ''})`,
    disk?.isLow === true && `DISK LOW: ${formatBytes(disk.freeBytes)} left`,
    pausedUntilMs !== undefined && pausedUntilMs > nowMs && `PAUSED until ${clock(pausedUntilMs)}`,
    `watching ${count} Python ${count === 1 ? 'process' : 'processes'} (targets: ${targets}, rules: ${rules})`,
    isCapturing && 'capturing',
    uploads?.problem !== undefined && `${uploads.left} to be sent: ${uploads.problem}`,
    last !== undefined && `last: ${last.what}, ${clock(last.atMs)}`,
  ]
  return visible(parts.filter((part) => part !== false).join('; '), 500)
}

const clock = (atMs: number): string =>
  new Date(atMs).toISOString().slice(0, 19).replace('T', ' ').concat('Z')
