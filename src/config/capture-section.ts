import { z } from 'zod'
import { duration, durationOrZero, section, share, shareOrZero, size, sizeOrShare } from './fields.ts'

const SECOND_MS = 1000
const HOUR_MS = 3_600_000

/** The section `capture`. */
export const captureSchema = section('Bounds of one capture.', {
  timeout: duration(SECOND_MS, HOUR_MS)
    .prefault('120s')
    .meta({ description: 'A snapshot that is not done by then is killed.' }),
  gdb_timeout: duration(SECOND_MS, HOUR_MS)
    .prefault('10s')
    .meta({ description: 'gdb is given up after this; the service runs on.' }),
  max_rss: size().prefault('32GiB').meta({
    description: 'A larger process is not captured: copying its page tables would pause it too long.',
  }),
  host_reserve: shareOrZero()
    .prefault('10%')
    .meta({ description: 'Share of the host memory that must stay available for a capture to begin.' }),
  max_copy: sizeOrShare()
    .prefault('150%')
    .meta({
      description:
        'What a snapshot may copy and allocate, as a size or a share of the RSS; then it is killed, and the dump is ' +
        'what it has told.',
    }),
  memory_limit: size().optional().meta({
    description:
      'Limit of the cgroup that each snapshot is charged to; none. Over it the kernel kills the snapshot.',
  }),
  cpu_max: share().optional().meta({
    description:
      'Share of one CPU that all snapshots together may use, where the unit is delegated on cgroup v2.',
  }),
  quarantine: durationOrZero().prefault('1h').meta({
    description: 'How long a process is left alone after two captures of it have failed in a row.',
  }),
  allow_inline: z.boolean().prefault(false).meta({
    description:
      'Whether a census may be taken in the service itself where no snapshot can be; the service stands still for it.',
  }),
})
