import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { takeCaptureLock } from '../../src/capture/capture-lock.ts'
import { parseGdbVersion } from '../../src/capture/find-gdb.ts'
import { parseGateFacts, refuseState } from '../../src/capture/gate.ts'
import { explainGdb } from '../../src/capture/gdb-commands.ts'
import { refuseMemory } from '../../src/capture/host-memory.ts'
import { seccompFilter } from '../../src/capture/seccomp-filter.ts'
import { findCallers } from '../../src/capture/safe-to-redirect.ts'
import { isUnitFilterHarmless } from '../../src/capture/seccomp-risk.ts'
import { readRecord, recover, writeRecord } from '../../src/capture/target-record.ts'
import { isRestful, parseSyscall } from '../../src/capture/threads-at-rest.ts'

const scratch = mkdtempSync(join(tmpdir(), 'pyheap-pure-'))
after(() => rmSync(scratch, { recursive: true }))

const GIB = 2 ** 30
const status = (state: string, tracer = 0): string =>
  `Name:\tpython3\nState:\t${state} (x)\nTracerPid:\t${tracer}\nVmRSS:\t 2048 kB\nRssAnon:\t 1024 kB\nSeccomp:\t2\n`

test('what the gate has to know is read from status', () => {
  assert.deepEqual(parseGateFacts(status('S', 7)), {
    state: 'S',
    tracerPid: 7,
    seccomp: 2,
    hasShadowStack: false,
    rssBytes: 2 ** 21,
    anonBytes: 2 ** 20,
    fileBytes: 0,
    shmemBytes: 0,
  })
})

for (const [state, tracer, reason] of [
  ['R', 0, undefined],
  ['S', 0, undefined],
  ['S', 5, 'already-traced'],
  ['T', 0, 'stopped'],
  ['t', 0, 'stopped'],
  ['D', 0, 'not-capturable-state'],
  ['Z', 0, 'gone'],
  ['X', 0, 'gone'],
] as const)
  test(`state ${state}, traced by ${tracer}: ${reason ?? 'may be captured'}`, () => {
    assert.equal(refuseState(parseGateFacts(status(state, tracer)), GIB)?.reason, reason)
  })

test('a process whose stacks the processor guards is left alone', () => {
  const guarded = parseGateFacts(`${status('S')}x86_Thread_features:\tshstk wrss\n`)
  assert.equal(refuseState(guarded, GIB)?.reason, 'not-capturable-state')
  const offered = parseGateFacts(`${status('S')}x86_Thread_features:\t\nx86_Thread_features_locked:\tshstk\n`)
  assert.equal(refuseState(offered, GIB), undefined)
})

test('a process above capture.max_rss is left alone', () => {
  assert.equal(refuseState(parseGateFacts(status('S')), 2 ** 20)?.reason, 'not-enough-memory')
})

test('a host that is short of memory is not burdened with a copy', () => {
  const procRoot = join(scratch, 'proc')
  mkdirSync(procRoot)
  writeFileSync(join(procRoot, 'meminfo'), 'MemTotal: 8388608 kB\nMemAvailable: 1048576 kB\n')
  const facts = (anonBytes: number) => ({ ...parseGateFacts(status('S')), anonBytes })
  assert.equal(refuseMemory(facts(GIB), { procRoot, hostReserveShare: 0.05 }), undefined)
  assert.equal(refuseMemory(facts(GIB), { procRoot, hostReserveShare: 0.2 })?.reason, 'not-enough-memory')
  assert.equal(
    refuseMemory(facts(4 * GIB), { procRoot, hostReserveShare: 0.05 })?.reason,
    'not-enough-memory',
  )
})

for (const [what, shown, isHarmless] of [
  ['a list that answers with an error', 'SystemCallFilter=read write\nSystemCallErrorNumber=EPERM', true],
  ['a number of an error', 'SystemCallFilter=read write\nSystemCallErrorNumber=1', true],
  ['a list that kills and lacks clone', 'SystemCallFilter=read write\nSystemCallErrorNumber=0', false],
  ['a deny list that kills', 'SystemCallFilter=~mount clone\nSystemCallErrorNumber=0', false],
  [
    'a list that kills and has all that is needed',
    'SystemCallFilter=clone wait4 mmap futex rt_sigprocmask rt_sigpending clock_gettime\nSystemCallErrorNumber=0',
    true,
  ],
  ['a filter that is not systemd’s', 'SystemCallFilter=\nSystemCallErrorNumber=0', false],
  ['no answer', '', false],
] as const)
  test(`seccomp: ${what} is ${isHarmless ? 'harmless' : 'refused'}`, () => {
    assert.equal(isUnitFilterHarmless(shown), isHarmless)
  })

test('the sandbox is a list of exact matches that ends in refusal, then in permission', () => {
  const filter = seccompFilter('census', 'x86_64')
  assert.equal(filter.length % 8, 0)
  const codes = Array.from({ length: filter.length / 8 }, (_, n) => filter.readUInt16LE(n * 8))
  assert.deepEqual(codes.slice(0, 3), [0x20, 0x15, 0x20])
  assert.ok(codes.slice(3, -2).every((code) => code === 0x15))
  assert.equal(filter.readUInt32LE(filter.length - 12), 0x00050001)
  assert.equal(filter.readUInt32LE(filter.length - 4), 0x7fff0000)
})

const ranges = [{ start: 0x1000, end: 0x2000 }]
for (const [what, text, rests] of [
  ['waits in epoll_wait', '232 0x4 0x7f 0x10 0xffffffff 0x0 0x8 0x7ffe 0x7f00', true],
  ['waits in a semaphore', '202 0x9000 0x189 0x0 0x0 0x0 0xffffffff 0x7ffe 0x7f00', true],
  ['waits in a mutex', '202 0x9000 0x80 0x2 0x0 0x0 0x0 0x7ffe 0x7f00', false],
  ["waits in musl's semaphore", '202 0x9000 0x80 0xffffffffffffffff 0x0 0x0 0x0 0x7ffe 0x7f00', true],
  ["waits in a newer musl's semaphore", '202 0x9000 0x80 0x80000000 0x0 0x0 0x0 0x7ffe 0x7f00', true],
  ["waits in musl's lock of malloc", '202 0x9000 0x80 0x80000002 0x0 0x0 0x0 0x7ffe 0x7f00', false],
  ['waits for the GIL', '202 0x1800 0x189 0x0 0x0 0x0 0xffffffff 0x7ffe 0x7f00', false],
  ['writes to a full pipe', '1 0x1 0x7f 0x10 0x0 0x0 0x0 0x7ffe 0x7f00', true],
  ['maps memory', '9 0x0 0x1000 0x3 0x22 0x0 0x0 0x7ffe 0x7f00', false],
] as const)
  test(`a thread that ${what} ${rests ? 'rests' : 'does not rest'}`, () => {
    const thread = parseSyscall(7, text)
    assert.ok(thread)
    assert.equal(isRestful(thread, ranges), rests)
  })

test('a thread that runs, or is stopped outside a call, is in none', () => {
  assert.equal(parseSyscall(7, 'running'), undefined)
  assert.equal(parseSyscall(7, '-1 0x7ffe 0x7f00'), undefined)
})

const code = (path: string, start: number) => ({
  start,
  end: start + 0x1000,
  permissions: 'r-xp',
  offset: 0,
  device: 'fe:00',
  inode: 1,
  path,
  isDeleted: false,
})

test('who called is told by return addresses, and by neither numbers nor the C library’s own', () => {
  const mappings = [code('/lib/x86_64-linux-gnu/libc.so.6', 0x10000), code('/usr/lib/native.so', 0x20000)]
  const call = Buffer.from([0x90, 0x90, 0xe8, 1, 2, 3, 4])
  const indirect = Buffer.from([0x90, 0x90, 0x90, 0x90, 0x90, 0xff, 0xd0])
  const other = Buffer.alloc(7, 0x90)
  const before = new Map([
    [0x10010, call],
    [0x20010, other],
    [0x20020, call],
    [0x20030, indirect],
  ])
  const stack = Buffer.alloc(48)
  ;[0x7ffe0000, 0x10010, 0x20010, 0x20020, 0x20030].forEach((word, n) =>
    stack.writeBigUInt64LE(BigInt(word), n * 8),
  )
  assert.deepEqual(
    findCallers(stack, mappings, (address) => before.get(address) ?? other),
    ['/usr/lib/native.so', '/usr/lib/native.so'],
  )
})

for (const [text, version] of [
  ['GNU gdb (Debian 13.1-3) 13.1\nCopyright', '13.1'],
  ['GNU gdb (GDB) Red Hat Enterprise Linux 8.2-19.el8', '8.2'],
  ['GNU gdb (Fedora Linux) 14.2-1.fc40', '14.2'],
  ['GNU gdb (Ubuntu 12.1-0ubuntu1~22.04) 12.1', '12.1'],
  ['GNU gdb (GDB) 7.12', '7.12'],
  ['no gdb at all', undefined],
] as const)
  test(`${text.split('\n')[0]} is ${version}`, () => assert.equal(parseGdbVersion(text), version))

for (const [said, reason] of [
  ['ptrace: No such process.', 'gone'],
  ['ptrace: Operation not permitted.', 'not-permitted'],
  ['warning: process 7 is already traced by process 8\nptrace: Operation not permitted.', 'already-traced'],
  ['Cannot access memory at address 0x0', 'gdb-failed'],
] as const)
  test(`gdb that says "${said.split('\n')[0]}" means ${reason}`, () => assert.equal(explainGdb(said), reason))

test('a lock is held by one, and one whose holder has ended is taken over', () => {
  const runDir = join(scratch, 'lock')
  const first = takeCaptureLock(runDir, () => 5)
  assert.equal(first.kind, 'held')
  assert.equal(takeCaptureLock(runDir, () => 5).kind, 'busy')
  assert.equal(takeCaptureLock(runDir, () => 6).kind, 'held')
  writeFileSync(join(runDir, 'capture.lock'), 'nonsense')
  assert.equal(takeCaptureLock(runDir, () => 6).kind, 'held')
})

const id = (pid: number) => ({ bootId: 'b', pid, startTicks: 100 })

test('what a killed daemon left is mended: a stopped service, a snapshot; the gone are forgotten', () => {
  const runDir = join(scratch, 'records')
  const base = { queued: 0, attaching: false }
  writeRecord(runDir, { ...base, process: id(1), attaching: true })
  writeRecord(runDir, { ...base, process: id(2), snapshot: { pid: 20, startTicks: 7 } })
  writeRecord(runDir, { ...base, process: id(3), attaching: true })
  writeRecord(runDir, { ...base, process: id(4), exchange: 4096 })
  const processes = new Map([
    [1, { startTicks: 100, state: 'T', tracerPid: 0 }],
    [2, { startTicks: 100, state: 'S', tracerPid: 0 }],
    [3, { startTicks: 999, state: 'T', tracerPid: 0 }],
    [4, { startTicks: 100, state: 'T', tracerPid: 0 }],
    [20, { startTicks: 7, state: 'R', tracerPid: 0 }],
  ])
  const sent: string[] = []
  recover(
    runDir,
    (pid) => processes.get(pid),
    (pid, signal) => sent.push(`${signal} ${pid}`),
  )
  // 3 is another process by now, and 4 was stopped by somebody else.
  assert.deepEqual(sent.toSorted(), ['SIGCONT 1', 'SIGKILL 20'])
  assert.deepEqual(readdirSync(join(runDir, 'targets')).toSorted(), [
    '1-100.json',
    '2-100.json',
    '4-100.json',
  ])
  assert.equal(readRecord(runDir, id(4)).exchange, 4096)
  assert.equal(readRecord(runDir, id(2)).snapshot, undefined)
})

test('a record that was cut off is begun anew', () => {
  const runDir = join(scratch, 'cut')
  writeRecord(runDir, { process: id(9), queued: 3, attaching: false })
  const file = join(runDir, 'targets', '9-100.json')
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, 20))
  assert.deepEqual(readRecord(runDir, id(9)), { process: id(9), queued: 0, attaching: false })
})
