import { processKey, type DumpManifest } from '../model.ts'

type Described = { readonly id: string; readonly manifest: DumpManifest }

/** The newest earlier dump of the same process that holds a census, which growth is measured against. */
export function findBaseline<Entry extends Described>(
  dump: Described,
  others: readonly Entry[],
): Entry | undefined {
  const key = keyOf(dump.manifest)
  const startedMs = Date.parse(dump.manifest.started_at)
  return others
    .filter(
      (other) =>
        other.id !== dump.id &&
        keyOf(other.manifest) === key &&
        Date.parse(other.manifest.started_at) < startedMs &&
        other.manifest.capture?.includes('census') !== false &&
        other.manifest.files.some((file) => file.name === 'census.json'),
    )
    .toSorted((a, b) => Date.parse(b.manifest.started_at) - Date.parse(a.manifest.started_at))[0]
}

/** The key of the process that a dump is of. */
export const keyOf = ({ process }: DumpManifest): string =>
  processKey({ bootId: process.boot_id, pid: process.pid, startTicks: process.start_ticks })
