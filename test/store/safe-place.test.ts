import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { findUntrusted } from '../../src/config/trusted.ts'
import { prepareStore } from '../../src/store/prepare-store.ts'
import { storeAt } from '../../src/store/place.ts'

const uid = process.getuid?.() ?? 0
const skip = uid === 0 ? false : 'needs root, to give files away'

/** A folder in /tmp, which is sticky: what is ours there nobody else can replace. */
async function inScratch(act: (scratch: string) => Promise<void>): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-safe-'))
  try {
    await act(scratch)
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

const judge = async (dir: string): Promise<string> => {
  const failed = await prepareStore(storeAt(dir))
  return failed === undefined ? 'safe' : `${failed.reason}: ${failed.detail}`
}

test('a store that only we can write is used, through a link of ours too', () =>
  inScratch(async (scratch) => {
    assert.equal(await judge(join(scratch, 'store')), 'safe')
    symlinkSync(join(scratch, 'store'), join(scratch, 'link'))
    assert.equal(await judge(join(scratch, 'link')), 'safe')
  }))

test('a store that everybody can write, or could put another in the place of, is refused', () =>
  inScratch(async (scratch) => {
    const open = join(scratch, 'open')
    mkdirSync(join(open, 'store'), { recursive: true })
    chmodSync(open, 0o777)
    assert.match(await judge(join(open, 'store')), /^unsafe: .*open can be written by everybody/)
    symlinkSync(join(open, 'store'), join(scratch, 'link'))
    assert.match(await judge(join(scratch, 'link')), /^unsafe: .*open can be written by everybody/)
    chmodSync(open, 0o755)
    chmodSync(join(open, 'store'), 0o1777)
    assert.match(await judge(join(open, 'store')), /^unsafe: .*store can be written by everybody/)
  }))

test("another user's directory or link is refused", { skip }, () =>
  inScratch(async (scratch) => {
    mkdirSync(join(scratch, 'theirs/store'), { recursive: true })
    chownSync(join(scratch, 'theirs'), 65534, 65534)
    assert.match(await judge(join(scratch, 'theirs/store')), /^unsafe: .*theirs belongs to another user/)
  }),
)

test('a configuration that others can write is not believed', { skip }, () =>
  inScratch(async (scratch) => {
    const file = join(scratch, 'config.yaml')
    mkdirSync(join(scratch, 'config.d'))
    writeFileSync(file, '')
    writeFileSync(join(scratch, 'config.d', 'a.yaml'), '')
    assert.deepEqual(await findUntrusted(file, uid), [])
    chmodSync(join(scratch, 'config.d', 'a.yaml'), 0o666)
    assert.match((await findUntrusted(file, uid)).join(), /a\.yaml can be written by everybody: chmod o-w/)
    chmodSync(join(scratch, 'config.d', 'a.yaml'), 0o644)
    chownSync(file, 65534, 65534)
    assert.match((await findUntrusted(file, uid)).join(), /config\.yaml belongs to another user/)
  }),
)
