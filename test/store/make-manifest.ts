import type { DumpManifest } from '../../src/model.ts'

/** A manifest of an ordinary dump without its files; what matters to a test is given. */
export const makeManifest = (
  given: Partial<Omit<DumpManifest, 'files'>> = {},
): Omit<DumpManifest, 'files'> => ({
  format: 1,
  target: 'api',
  rule: 'rss-high',
  fired: { rule: 'rss-high', kind: 'rss', value: 2e9, threshold: 1.5e9 },
  also_fired: [],
  process: {
    boot_id: 'b0a7',
    pid: 4242,
    start_ticks: 1000,
    exe: '/usr/bin/python3',
    cmdline: ['python3'],
    user: 'www',
  },
  started_at: '2026-11-21T23:22:00.123Z',
  finished_at: '2026-11-21T23:22:04.000Z',
  rss_bytes: 2e9,
  outcome: 'captured',
  method: 'pending-call',
  pause_ms: 31,
  phases: [{ name: 'arm', ms: 120 }],
  attempts: 1,
  python_version: '3.11.7',
  ...given,
})
