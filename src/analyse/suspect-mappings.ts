import type { Census, Dump, MapKind, MapRow, Owner, Suspect } from '../model.ts'
import { compareOwners } from './compare.ts'
import type { Judgement } from './judge.ts'
import { nameOwner } from './owner-title.ts'
import { changeWords, countWords, numberOf, shortName, sizeWords, typeWords } from './words.ts'

/** The files whose mapped pages are large or have grown, and who in Python holds the mappings. */
export function suspectFiles(dump: Dump, baseline: Dump | undefined, { fileBytes }: Judgement): Suspect {
  const group = findGroup(dump, baseline, ['file', 'deleted-file'])
  const deleted = group?.kind === 'deleted-file' ? 'deleted files' : 'files'
  const what =
    group === undefined
      ? 'mapped files'
      : group.mappings === 1
        ? `mapped file ${shortName(group.example)}`
        : `file mappings: ${countWords(group.mappings)} mapped ${deleted} in ${shortName(group.folder)}`
  const isLoose = group?.kind === 'deleted-file'
  return {
    kind: 'mapping',
    title: `${what} ${inMemory(baseline, fileBytes)}, not Python's heap`,
    bytes: fileBytes,
    ...(baseline === undefined ? {} : { grownBytes: fileBytes }),
    evidence: [
      ...describeGroup(group, baseline),
      ...findWrappers(dump.census, baseline?.census, /(^|\.)(mmap|memmap)$/),
      isLoose
        ? 'a deleted file stays on the disk until its last mapping goes'
        : 'the kernel can drop clean pages of files at any time; they are bounded by the size of the files',
    ],
    confidence: baseline === undefined ? 'low' : isLoose ? 'high' : 'medium',
  }
}

/** The shared memory segments that are large or have grown, and who in Python holds them. */
export function suspectSharedMemory(
  dump: Dump,
  baseline: Dump | undefined,
  { shmemBytes }: Judgement,
): Suspect {
  const group = findGroup(dump, baseline, ['shared-memory'])
  const what =
    group === undefined
      ? 'shared memory'
      : `shared memory: ${numberOf(group.mappings, 'segment', 'segments')} (${shortName(group.example)})`
  return {
    kind: 'shared-memory',
    title: `${what} ${inMemory(baseline, shmemBytes)} (RssShmem), not Python's heap`,
    bytes: shmemBytes,
    ...(baseline === undefined ? {} : { grownBytes: shmemBytes }),
    evidence: [
      ...describeGroup(group, baseline),
      ...findWrappers(dump.census, baseline?.census, /(^|\.)(SharedMemory|mmap)$/),
      group?.example === '/dev/zero'
        ? 'they are anonymous, as mmap(-1) makes them, and go when they are closed'
        : 'segments in /dev/shm count against the container until they are unlinked, even after the process ends',
    ],
    confidence: baseline === undefined ? 'medium' : 'high',
  }
}

const inMemory = (baseline: Dump | undefined, bytes: number): string =>
  baseline === undefined
    ? `${sizeWords(bytes)} resident`
    : `${changeWords(bytes)} resident since the earlier dump`

type Group = {
  readonly kind: MapKind
  readonly folder: string
  readonly example: string
  readonly mappings: number
  readonly grownMappings: number
  readonly rssBytes: number
}

// Temporary files and segments have names of their own each, so what belongs together is what lies together.
function findGroup(
  { memoryMap }: Dump,
  baseline: Dump | undefined,
  kinds: readonly MapKind[],
): Group | undefined {
  const before = groupRows(baseline?.memoryMap?.rows ?? [], kinds)
  return [...groupRows(memoryMap?.rows ?? [], kinds)]
    .map(([key, group]) => growGroup(group, before.get(key)))
    .toSorted((a, b) => b.rssBytes - a.rssBytes || b.grownMappings - a.grownMappings)[0]
}

const growGroup = (group: Group, before: Group | undefined): Group => ({
  ...group,
  grownMappings: group.mappings - (before?.mappings ?? 0),
  rssBytes: group.rssBytes - (before?.rssBytes ?? 0),
})

function groupRows(rows: readonly MapRow[], kinds: readonly MapKind[]): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>()
  for (const { kind, path, mappings, rssBytes } of rows) {
    if (!kinds.includes(kind)) continue
    const folder = path.slice(0, path.lastIndexOf('/') + 1) || path
    const key = `${kind} ${folder}`
    const group = groups.get(key)
    groups.set(key, {
      kind,
      folder,
      example: group?.example ?? path,
      mappings: mappings + (group?.mappings ?? 0),
      grownMappings: 0,
      rssBytes: rssBytes + (group?.rssBytes ?? 0),
    })
  }
  return groups
}

const describeGroup = (group: Group | undefined, baseline: Dump | undefined): readonly string[] =>
  group === undefined || baseline === undefined || group.grownMappings <= 0
    ? []
    : [`+${numberOf(group.grownMappings, 'mapping', 'mappings')}, for example of ${shortName(group.example)}`]

// The objects that own mappings are tiny, so it is their number that leads to who keeps them.
function findWrappers(
  census: Census | undefined,
  baseline: Census | undefined,
  pattern: RegExp,
): readonly string[] {
  const found = compareOwners(census?.owners ?? [], baseline?.owners)
    .flatMap(({ owner }) => countWrappers(owner, pattern))
    .toSorted((a, b) => b.count - a.count)[0]
  if (found === undefined) return []
  const { count, type, owner } = found
  return [`${countWords(count)} ${typeWords(type)} are kept by ${nameOwner(owner)}`]
}

function countWrappers(
  owner: Owner,
  pattern: RegExp,
): readonly { readonly owner: Owner; readonly type: string; readonly count: number }[] {
  const row = [...owner.entryTypes, ...owner.types].find(({ type }) => pattern.test(type))
  return row === undefined || (owner.kind === 'interpreter' && owner.path === '')
    ? []
    : [{ owner, type: row.type, count: row.count }]
}
