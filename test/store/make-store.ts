import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { DumpManifest } from '../../src/model.ts'
import { openDump, type Published } from '../../src/store/partial-dump.ts'
import { storeAt, type StorePlace } from '../../src/store/place.ts'
import { makeManifest } from './make-manifest.ts'

/** An empty store that goes away with the test. */
export async function makeStore(context: TestContext): Promise<StorePlace> {
  const dir = await mkdtemp(join(tmpdir(), 'pyheap-store-'))
  context.after(() => rm(dir, { recursive: true, force: true }))
  return storeAt(dir)
}

/** A small complete dump in the store. */
export async function addDump(
  store: StorePlace,
  given: Partial<Omit<DumpManifest, 'files'>> = {},
): Promise<Published> {
  const manifest = makeManifest(given)
  const { target, rule, started_at: at, process } = manifest
  const dump = await openDump(store, target, { at, pid: process.pid, rule })
  if (dump.kind === 'failed') throw new Error(dump.detail)
  await dump.write('outside.json', JSON.stringify(emptyOutside))
  const published = await dump.publish(manifest)
  if (published.kind === 'failed') throw new Error(published.detail)
  return published
}

const emptyOutside = {
  takenAt: '2026-11-21T23:22:00.000Z',
  status: {},
  limits: [],
  cgroup: { path: '/', counters: {} },
  pressure: {},
  history: [],
}
