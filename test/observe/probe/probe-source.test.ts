import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProbeState, Trigger } from '../../../src/model.ts'
import type { Probe, ProbeEnd, ProbeEvent } from '../../../src/observe/probe/probe.ts'
import { type ProbeSourceOptions, probeSource } from '../../../src/observe/probe/probe-source.ts'

/** A probe that says what a test wants: a kernel that floods or loses events cannot be had at will. */
class Puppet {
  starts = 0
  stops = 0
  say: (event: ProbeEvent) => void = () => undefined
  end: (end: ProbeEnd) => void = () => undefined
  readonly probe: Probe = (onEvent, onEnd) => {
    this.starts += 1
    this.say = onEvent
    this.end = onEnd
    return { stop: () => (this.stops += 1) }
  }
}

function listen(changes: Partial<ProbeSourceOptions>, puppet = new Puppet()) {
  const told: ProbeState[] = []
  const pushed: Trigger[] = []
  const stop = probeSource({
    kind: 'rss',
    probes: [{ means: 'bpftrace', probe: puppet.probe }],
    isOfInterest: (pid) => pid < 100,
    arePidsForeign: false,
    tell: (state) => told.push(state),
    now: () => 0,
    ...changes,
  })((trigger) => pushed.push(trigger))
  return { puppet, told, pushed, stop }
}

test('growth, kills and ends of who matters are looked at, those of others are not', () => {
  const { puppet, told, pushed, stop } = listen({})
  puppet.say({ kind: 'attached' })
  puppet.say({ kind: 'growth', pid: 7, bytes: 1 })
  puppet.say({ kind: 'growth', pid: 700, bytes: 1 })
  puppet.say({ kind: 'oom', pid: 8 })
  puppet.say({ kind: 'exit', pid: 9 })
  assert.deepEqual(told, [{ kind: 'active', means: 'bpftrace', watches: 'rss' }])
  assert.deepEqual(pushed, [
    { kind: 'growth', pid: 7 },
    { kind: 'growth', pid: 8 },
    { kind: 'growth', pid: 9 },
  ])
  stop()
  assert.equal(puppet.stops, 1)
})

test('a flood ends the probe, and is told once', () => {
  const { puppet, told, pushed } = listen({})
  for (let n = 0; n < 600; n++) if (puppet.stops === 0) puppet.say({ kind: 'growth', pid: 7, bytes: n })
  assert.equal(puppet.stops, 1)
  assert.equal(pushed.length, 500)
  assert.deepEqual(told, [{ kind: 'given-up', detail: 'more than 50 hints a second for 10 s' }])
})

test('after a loss everybody is looked at, and it is told once', () => {
  const { puppet, told, pushed } = listen({})
  puppet.say({ kind: 'lost', events: 5 })
  puppet.say({ kind: 'lost', events: 6 })
  assert.deepEqual(pushed, [{ kind: 'interval' }, { kind: 'interval' }])
  assert.deepEqual(told, [{ kind: 'lost', events: 5 }])
})

test('in a pid namespace of its own a hint is for everybody', () => {
  const { puppet, pushed } = listen({ arePidsForeign: true })
  puppet.say({ kind: 'growth', pid: 700, bytes: 1 })
  assert.deepEqual(pushed, [{ kind: 'growth', pid: 0 }])
})

test('what cannot be attached gives way to the next, and after the last to polling', () => {
  const [first, second] = [new Puppet(), new Puppet()]
  const { told } = listen({
    probes: [
      { means: 'bpftrace', probe: first.probe },
      { means: 'ftrace', probe: second.probe },
    ],
  })
  first.end({ wasAttached: false, detail: 'too old' })
  second.say({ kind: 'attached' })
  assert.deepEqual(told, [{ kind: 'active', means: 'ftrace', watches: 'rss', instead: 'too old' }])
  second.end({ wasAttached: false, detail: 'not mounted' })
  assert.deepEqual(told[1], { kind: 'given-up', detail: 'too old; not mounted' })
  assert.deepEqual([first.starts, second.starts], [1, 1])
})

test('one that ends is started again, and not after it was stopped', async () => {
  const { puppet, told, stop } = listen({})
  puppet.end({ wasAttached: true, detail: 'killed' })
  assert.deepEqual(told, [{ kind: 'ended', detail: 'killed', retryMs: 1000 }])
  await sleep(1100)
  assert.equal(puppet.starts, 2)
  puppet.end({ wasAttached: true, detail: 'killed' })
  stop()
  assert.equal(puppet.starts, 2)
})
