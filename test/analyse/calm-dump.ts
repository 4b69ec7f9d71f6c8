import { makeDump, makeOwner, MiB, rssStatus, typeRow } from './make-dump.ts'

/** A large healthy owner that no verdict may name. */
export const catalog = makeOwner({ bytes: 40 * MiB })

const earlier = { startedAt: '2026-11-21T12:00:00.000Z', isBaseline: true, rssBytes: 100 * MiB }

/** The baseline of a service before it grew. */
export const calm = makeDump({
  ...earlier,
  status: rssStatus(90 * MiB, 10 * MiB, 0),
  census: {
    owners: [catalog, makeOwner({ scope: 'shop.broker', path: 'POOL', type: 'ConnectionPool', bytes: MiB })],
    types: [typeRow('array.array', 102, 2 * MiB), typeRow('dict', 50_000, 40 * MiB)],
    malloc: { inUseBytes: 20 * MiB, freeBytes: 4 * MiB, mmappedBytes: 0, arenaBytes: 24 * MiB },
  },
})
