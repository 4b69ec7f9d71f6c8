import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { UploadRecord } from '../../src/model.ts'
import { dropSent, sweepStore } from '../../src/store/sweep.ts'
import { listUnsent } from '../../src/store/unsent-dumps.ts'
import { readUploadRecord, writeUploadRecord } from '../../src/store/upload-record.ts'
import { addDump, makeStore } from './make-store.ts'

const PLACE = 'https://s3.example.com/dumps/web-1'
const at = (hour: string) => ({ started_at: `2026-11-21T${hour}:00:00.000Z` })
const nowMs = Date.parse('2026-11-21T12:00:00Z')
const sent = (more: Partial<UploadRecord> = {}): UploadRecord => ({
  format: 1,
  place: PLACE,
  files: {},
  finished_at: '2026-11-21T12:00:00.000Z',
  ...more,
})

test('what a place does not have whole is told, oldest first, the manifest last', async (context) => {
  const store = await makeStore(context)
  const newer = await addDump(store, at('11'))
  const older = await addDump(store, { ...at('10'), target: 'web' })
  const done = await addDump(store, at('09'))
  const half = await addDump(store, at('08'))
  const elsewhere = await addDump(store, at('07'))
  const broken = await addDump(store, at('06'))
  await writeFile(join(broken.path, 'dump.json'), 'x')
  await writeUploadRecord(store, done.path, sent())
  await writeUploadRecord(store, half.path, sent({ finished_at: undefined }))
  await writeUploadRecord(store, elsewhere.path, sent({ place: 'https://other/b' }))
  const unsent = await listUnsent(store.dir, PLACE)
  assert.deepEqual(
    unsent.map(({ id }) => id),
    [elsewhere.id, half.id, older.id, newer.id],
  )
  assert.equal(unsent[0]?.files.at(-1)?.name, 'dump.json')
  // How its process has ended comes later.
  await writeFile(join(done.path, 'ending.json'), '{}')
  const after = await listUnsent(store.dir, PLACE)
  assert.ok(after.some(({ id, files }) => id === done.id && files.some(({ name }) => name === 'ending.json')))
  await writeUploadRecord(store, done.path, sent({ files: { 'ending.json': { bytes: 2, etag: '' } } }))
  assert.equal((await listUnsent(store.dir, PLACE)).length, 4)
})

test('a record that is none is as if nothing was sent', async (context) => {
  const store = await makeStore(context)
  const { path } = await addDump(store, at('11'))
  for (const text of ['', 'x', '[]', '{"format":2}', '{"format":1,"place":1,"files":{}}']) {
    await writeFile(join(path, 'upload.json'), text)
    assert.equal(await readUploadRecord(path), undefined, text)
  }
})

test('what was sent goes before what was not, and the newest of a target stays', async (context) => {
  const store = await makeStore(context)
  const [oldest, old, new_] = [
    await addDump(store, at('08')),
    await addDump(store, at('09')),
    await addDump(store, at('10')),
  ]
  await writeUploadRecord(store, old.path, sent())
  await writeUploadRecord(store, new_.path, sent())
  assert.deepEqual(
    (await sweepStore(store.dir, { perTarget: 3, ageMs: 1 }, nowMs, PLACE)).removed.map(({ id }) => id),
    [old.id],
  )
  assert.deepEqual((await dropSent(store.dir, PLACE, nowMs)).removed, [])
  await writeUploadRecord(store, oldest.path, sent())
  assert.deepEqual(
    (await dropSent(store.dir, PLACE, nowMs)).removed.map(({ id }) => id),
    [oldest.id],
  )
})
