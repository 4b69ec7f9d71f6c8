import type { Notice, NoticeKind } from '../model.ts'

/** What `journalctl MESSAGE_ID=` finds; the catalog in systemd/ explains each. */
export const MESSAGE_IDS: Readonly<Record<NoticeKind, string>> = {
  captured: '2f0d7b5ad2584f1a9a3b1c0f4e6a7d01',
  failed: '9b1e6c3f0a7e4c52a0d83e51c7f94b02',
  oom: '4c8a2e17b96d4d0f8e5f7a60d13b2c03',
  'disk-low': 'd7e35f9c18a64b7bb2490cf6a8e51f04',
}

/** syslog's numbers. */
const PRIORITIES: Readonly<Record<NoticeKind, number>> = { captured: 5, failed: 4, oom: 3, 'disk-low': 3 }

/** A notice as fields of the journal, for `logger --journald`. */
export function journalEntry(notice: Notice, daemonPid: number): string {
  const { event, message, headline, target, pid, unit, rule, dump, reason } = notice
  const fields = {
    MESSAGE: headline === undefined ? message : `${message}: ${headline}`,
    MESSAGE_ID: MESSAGE_IDS[event],
    PRIORITY: PRIORITIES[event],
    SYSLOG_IDENTIFIER: 'pyheap-watchd',
    // journalctl -u finds it by this, however soon the one that writes it has ended.
    OBJECT_PID: daemonPid,
    PYHEAP_EVENT: event,
    PYHEAP_TARGET: target,
    PYHEAP_PID: pid,
    PYHEAP_UNIT: unit,
    PYHEAP_RULE: rule,
    PYHEAP_DUMP: dump,
    PYHEAP_REASON: reason,
  }
  return Object.entries(fields)
    .flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${String(value).replaceAll(/\s/g, ' ')}\n`],
    )
    .join('')
}
