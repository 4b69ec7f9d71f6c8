import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Lease, takeLease } from '../../src/capture/lease.ts'
import { ProcessMemory } from '../../src/capture/process-memory.ts'
import { type Stub, readStub } from '../../src/capture/stub-file.ts'
import { identify } from '../setup/capture.ts'
import { startTarget } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to write to other processes'
const stub = readStub(new URL('../../src/stub', import.meta.url).pathname)

type Take = (former?: number, ours?: Stub) => ReturnType<typeof takeLease>

async function withService(act: (take: Take) => Promise<void>): Promise<void> {
  const service = await startTarget('/usr/bin/python3', 'service', 'idle')
  const memory = new ProcessMemory('/proc', service.pid)
  const site = { procRoot: '/proc', id: identify(service.pid), memory }
  try {
    await act(async (former, ours = stub) => takeLease({ ...site, stub: ours }, former, 0))
  } finally {
    memory.close()
    await service.stop()
  }
}

function held(taken: Lease | { readonly kind: 'failed'; readonly reason: string }): Lease {
  assert.ok(!('kind' in taken), JSON.stringify(taken))
  return taken
}

test('a lease is held by one, until it is released', { skip }, () =>
  withService(async (take) => {
    const first = held(await take())
    const second = await take()
    assert.ok('kind' in second && second.reason === 'busy')
    first.release()
    const third = held(await take())
    assert.equal(third.code, first.code)
    assert.ok(!first.isKnown && third.isKnown)
    third.release()
  }),
)

test('of two that find a service free at the same time one gets it', { skip }, () =>
  withService(async (take) => {
    const taken = await Promise.all([take(), take()])
    assert.equal(taken.filter((lease) => !('kind' in lease)).length, 1)
    for (const lease of taken) if (!('kind' in lease)) lease.release()
  }),
)

test('a lease that a crash of ours has left is taken over at once', { skip }, () =>
  withService(async (take) => {
    const left = held(await take())
    const again = held(await take(left.token))
    assert.notEqual(again.token, left.token)
    left.release() // which must not release what is another's by now
    assert.ok('kind' in (await take()))
    again.release()
  }),
)

test('the stub of another version is left where it stands', { skip }, () =>
  withService(async (take) => {
    const other = {
      ...stub,
      service: { ...stub.service, code: Buffer.from(stub.service.code).fill(0x90, 0, 1) },
    }
    const theirs = held(await take(undefined, other))
    const ours = held(await take())
    assert.notEqual(ours.code, theirs.code)
    theirs.release()
    ours.release()
  }),
)
