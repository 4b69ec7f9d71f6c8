import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { test } from 'node:test'
import { readHostMemory, readMachineFacts } from '../../src/observe/host.ts'

test('host memory is what /proc/meminfo says', async () => {
  const { totalBytes, availableBytes } = await readHostMemory()
  const meminfo = readFileSync('/proc/meminfo', 'utf8')
  assert.equal(totalBytes, Number(/^MemTotal: +(\d+) kB/m.exec(meminfo)?.[1]) * 1024)
  assert.ok(availableBytes > 0 && availableBytes < totalBytes)
})

test('the machine is named', async () => {
  const facts = await readMachineFacts()
  assert.equal(facts.kernel, release())
  assert.ok(facts.os !== '' && facts.cpus >= 1 && facts.memoryBytes > 0)
})
