import { existsSync } from 'node:fs'
import { execaSync } from 'execa'

/** Why nothing can be attached to the kernel's trace points here; false when it can. */
export function whyNoTracing(...programs: readonly string[]): string | false {
  if (process.getuid?.() !== 0) return 'needs root, to attach to the kernel'
  if (!existsSync('/sys/kernel/tracing/events/kmem/rss_stat'))
    return 'needs tracefs: mount -t tracefs tracefs /sys/kernel/tracing'
  const missing = programs.find((program) => execaSync('which', [program], { reject: false }).exitCode !== 0)
  return missing === undefined ? false : `needs ${missing}`
}
