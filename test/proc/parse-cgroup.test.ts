import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryCgroup, parseCgroup, systemdUnit } from '../../src/proc/parse-cgroup.ts'

test('the memory controller of v1 goes before the unified hierarchy', () => {
  const hybrid = parseCgroup('4:cpu,memory:/a\n1:name=systemd:/b\n0::/c\n')
  assert.equal(memoryCgroup(hybrid), '/a')
  assert.equal(memoryCgroup(parseCgroup('1:name=systemd:/b\n0::/c\n')), '/c')
  assert.equal(memoryCgroup(parseCgroup('')), undefined)
})

test('a path may hold colons and may have been removed', () => {
  assert.equal(memoryCgroup(parseCgroup('0::/a:b/c (deleted)\n')), '/a:b/c')
})

for (const [what, text, unit] of [
  ['a service', '0::/system.slice/shop.service', 'shop.service'],
  ['the innermost of two', '0::/user.slice/user@1000.service/app.slice/x.service/sub', 'x.service'],
  ['a scope', '1:name=systemd:/machine.slice/a.scope\n0::/other.service', 'a.scope'],
  ['a slice alone', '0::/system.slice', undefined],
  ['nothing but the suffix', '0::/.service', undefined],
] as const) {
  test(`unit: ${what}`, () => assert.equal(systemdUnit(parseCgroup(text)), unit))
}
