import type { Owner, TypeGrowth, TypeRow } from '../model.ts'

/** An owner and what has become of it since the baseline. */
export type OwnerGrowth = {
  readonly owner: Owner
  /** Undefined without a baseline. */
  readonly grownBytes: number | undefined
  readonly grownEntries: number | undefined
  /** What it holds by type: by growth where there is a baseline, else by size. */
  readonly types: readonly TypeRow[]
}

/** The same owner in two dumps: a frame runs on to other lines and stays the same frame. */
export const ownerKey = (owner: Owner): string =>
  owner.kind === 'unreachable' ? familyKey(owner) : JSON.stringify([familyKey(owner), owner.path])

const familyKey = ({ kind, scope }: Owner): string =>
  `${kind} ${kind === 'frame' ? scope.replace(/:\d+\)$/, ')') : scope}`

/** Owners by growth where there is a baseline, else by size; owners that look the same are added up. */
export function compareOwners(
  owners: readonly Owner[],
  baseline: readonly Owner[] | undefined,
): readonly OwnerGrowth[] {
  const now = mergeSame(owners)
  if (baseline === undefined) {
    return now
      .map((owner) => ({ owner, grownBytes: undefined, grownEntries: undefined, types: owner.types }))
      .toSorted((a, b) => b.owner.bytes - a.owner.bytes)
  }
  const then = new Map(mergeSame(baseline).map((owner) => [ownerKey(owner), owner]))
  const exact = new Map(now.map((owner) => [owner, then.get(ownerKey(owner))]))
  for (const owner of exact.keys()) then.delete(ownerKey(owner))
  const families = groupByFamily([...then.values()])
  return now
    .map((owner) => measureGrowth(owner, takeBefore(owner, exact.get(owner), families)))
    .toSorted((a, b) => (b.grownBytes ?? 0) - (a.grownBytes ?? 0))
}

function mergeSame(owners: readonly Owner[]): readonly Owner[] {
  const merged = new Map<string, Owner>()
  for (const owner of owners) {
    const same = merged.get(ownerKey(owner))
    merged.set(ownerKey(owner), same === undefined ? owner : addOwners(same, owner))
  }
  return [...merged.values()]
}

const addOwners = (a: Owner, b: Owner): Owner => ({
  ...a,
  // Nobody holds unreachable objects: their path is only what they are, and that may change.
  path: a.kind === 'unreachable' ? joinNames(a.path, b.path) : a.path,
  entries:
    a.entries === undefined && b.entries === undefined ? undefined : (a.entries ?? 0) + (b.entries ?? 0),
  objects: a.objects + b.objects,
  bytes: a.bytes + b.bytes,
  types: addTypes([...a.types, ...b.types]),
})

const joinNames = (a: string, b: string): string =>
  [...new Set([...a.split(' <-> '), ...b.split(' <-> ')])].slice(0, 4).join(' <-> ')

function addTypes(rows: readonly TypeRow[]): readonly TypeRow[] {
  const sums = new Map<string, TypeRow>()
  for (const { type, count, bytes } of rows) {
    const sum = sums.get(type)
    sums.set(type, { type, count: count + (sum?.count ?? 0), bytes: bytes + (sum?.bytes ?? 0) })
  }
  return [...sums.values()].toSorted((a, b) => b.bytes - a.bytes)
}

function groupByFamily(owners: readonly Owner[]): Map<string, Owner[]> {
  const families = new Map<string, Owner[]>()
  for (const owner of owners)
    families.set(familyKey(owner), [...(families.get(familyKey(owner)) ?? []), owner])
  return families
}

// A small owner is reported as `POOL` and, grown, as `POOL._dirty`: without an equal, its kin in the baseline is what it was.
// Each of these is taken once, or two heirs would both be measured against it.
function takeBefore(
  owner: Owner,
  equal: Owner | undefined,
  families: Map<string, Owner[]>,
): readonly Owner[] {
  if (equal !== undefined) return [equal]
  const family = families.get(familyKey(owner)) ?? []
  const kin = family.filter(({ path }) => isBelow(path, owner.path) || isBelow(owner.path, path))
  families.set(
    familyKey(owner),
    family.filter((other) => !kin.includes(other)),
  )
  return kin
}

const isBelow = (path: string, above: string): boolean =>
  path.startsWith(above) && /^[.[:\s]/.test(path.slice(above.length))

function measureGrowth(owner: Owner, before: readonly Owner[]): OwnerGrowth {
  const bytesBefore = before.reduce((sum, { bytes }) => sum + bytes, 0)
  const [only] = before
  const isSame = before.length === 0 || (only !== undefined && only.path === owner.path)
  return {
    owner,
    grownBytes: owner.bytes - bytesBefore,
    grownEntries: owner.entries === undefined || !isSame ? undefined : owner.entries - (only?.entries ?? 0),
    types: growthOfTypes(
      owner.types,
      before.flatMap(({ types }) => types),
    ).filter(({ bytes }) => bytes > 0),
  }
}

function growthOfTypes(now: readonly TypeRow[], before: readonly TypeRow[]): readonly TypeRow[] {
  const then = new Map(addTypes(before).map((row) => [row.type, row]))
  return now
    .map(({ type, count, bytes }) => ({
      type,
      count: count - (then.get(type)?.count ?? 0),
      bytes: bytes - (then.get(type)?.bytes ?? 0),
    }))
    .toSorted((a, b) => b.bytes - a.bytes)
}

/** Types by growth where there is a baseline, else by size. Types that are gone are rows of nothing with what they lost. */
export function compareTypes(
  types: readonly TypeRow[],
  baseline: readonly TypeRow[] | undefined,
): readonly TypeGrowth[] {
  const now = addTypes(types)
  if (baseline === undefined) return now.map((row) => ({ ...row, grownCount: 0, grownBytes: 0 }))
  const then = new Map(addTypes(baseline).map((row) => [row.type, row]))
  const known = new Set(now.map(({ type }) => type))
  const gone = [...then.keys()]
    .filter((type) => !known.has(type))
    .map((type) => ({ type, count: 0, bytes: 0 }))
  return [...now, ...gone]
    .map((row) => growType(row, then.get(row.type)))
    .toSorted((a, b) => b.grownBytes - a.grownBytes)
}

const growType = (row: TypeRow, before: TypeRow | undefined): TypeGrowth => ({
  ...row,
  grownCount: row.count - (before?.count ?? 0),
  grownBytes: row.bytes - (before?.bytes ?? 0),
})
