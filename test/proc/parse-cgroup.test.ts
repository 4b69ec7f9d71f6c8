import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containerId, memoryCgroup, parseCgroup, systemdUnit } from '../../src/proc/parse-cgroup.ts'

const id = '0123456789abcdef'.repeat(4)
const other = 'fedcba9876543210'.repeat(4)

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

for (const [what, path, container] of [
  ['docker by cgroupfs', `/docker/${id}`, id],
  ['docker by systemd', `/system.slice/docker-${id}.scope`, id],
  ['containerd', `/kubepods.slice/kubepods-pod1.slice/cri-containerd-${id}.scope`, id],
  ['containerd by cgroupfs', `/kubepods/besteffort/pod1/${id}`, id],
  ['containerd with its own prefix', `/system.slice/containerd.service/kubepods:cri-containerd:${id}`, id],
  ['podman', `/machine.slice/libpod-${id}.scope/container`, id],
  ['the innermost of nested ones', `/docker/${other}/docker/${id}/init`, id],
  ['too few digits', `/docker/${id.slice(1)}`, undefined],
  ['too many digits', `/docker/${id}0`, undefined],
  ['none', '/system.slice/shop.service', undefined],
] as const) {
  test(`container: ${what}`, () => assert.equal(containerId(parseCgroup(`0::${path}\n`)), container))
}
