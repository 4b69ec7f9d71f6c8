import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containerOf } from '../../src/proc/container.ts'
import { parseCgroup } from '../../src/proc/parse-cgroup.ts'
import { insidePid, parseStatus } from '../../src/proc/parse-status.ts'

const id = '0123456789abcdef'.repeat(4)
const other = 'fedcba9876543210'.repeat(4)
const uid = '3f0c1d2e-9a8b-4c7d-8e6f-0a1b2c3d4e5f'
const slice = uid.replaceAll('-', '_')
const staticUid = '0f8a6c1b2d3e4f5061728394a5b6c7d8'

const KUBEPODS = '/kubepods.slice/kubepods-burstable.slice'

for (const [what, path, expected] of [
  ['docker by cgroupfs', `/docker/${id}`, ['docker', id]],
  ['docker by systemd', `/system.slice/docker-${id}.scope`, ['docker', id]],
  ['docker, an old notation', `/system.slice:docker:${id}`, ['docker', id]],
  ['docker below a parent of its own', `/builds/${id}`, ['unknown', id]],
  ['podman', `/machine.slice/libpod-${id}.scope`, ['podman', id]],
  ['podman with its own cgroup inside', `/machine.slice/libpod-${id}.scope/container`, ['podman', id]],
  [
    'podman in a pod of its own',
    `/machine.slice/machine-libpod_pod_${other}.slice/libpod-${id}.scope/container`,
    ['podman', id],
  ],
  ['podman by cgroupfs', `/libpod_parent/libpod-${id}`, ['podman', id]],
  [
    'podman without root',
    `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id}.scope/container`,
    ['podman', id],
  ],
  [
    'containerd by systemd',
    `${KUBEPODS}/kubepods-burstable-pod${slice}.slice/cri-containerd-${id}.scope`,
    ['containerd', id, uid],
  ],
  [
    'a guaranteed pod',
    `/kubepods.slice/kubepods-pod${slice}.slice/cri-containerd-${id}.scope`,
    ['containerd', id, uid],
  ],
  [
    'cri-o by systemd',
    `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${slice}.slice/crio-${id}.scope/container`,
    ['cri-o', id, uid],
  ],
  ['cri-o by cgroupfs', `/kubepods/besteffort/pod${uid}/crio-${id}`, ['cri-o', id, uid]],
  ['containerd by cgroupfs', `/kubepods/burstable/pod${uid}/${id}`, ['containerd', id, uid]],
  ['containerd by cgroupfs, guaranteed', `/kubepods/pod${uid}/${id}`, ['containerd', id, uid]],
  ['a static pod', `/kubepods/burstable/pod${staticUid}/${id}`, ['containerd', id, staticUid]],
  [
    'docker below the kubelet',
    `${KUBEPODS}/kubepods-burstable-pod${slice}.slice/docker-${id}.scope`,
    ['docker', id, uid],
  ],
  [
    'containerd, whose driver is not the kubelet’s',
    `/system.slice/containerd.service/kubepods-burstable-pod${slice}.slice:cri-containerd:${id}`,
    ['containerd', id, uid],
  ],
  ['nerdctl', `/system.slice/nerdctl-${id}.scope`, ['containerd', id]],
  [
    'a pod of kind, in docker',
    `/docker/${other}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod${slice}.slice/cri-containerd-${id}.scope`,
    ['containerd', id, uid],
  ],
  [
    'a pod of kind by cgroupfs',
    `/docker/${other}/kubelet/kubepods/besteffort/pod${uid}/${id}`,
    ['containerd', id, uid],
  ],
  ['the innermost of nested ones', `/docker/${other}/docker/${id}/init`, ['docker', id]],
  ['docker in a pod', `/kubepods/burstable/pod${uid}/${other}/docker/${id}`, ['docker', id, uid]],
  [
    'as another cgroup namespace sees it',
    `/../../kubepods-besteffort.slice/kubepods-besteffort-pod${slice}.slice/cri-containerd-${id}.scope`,
    ['containerd', id, uid],
  ],
  ['a container of our own pod, as ours sees it', `/../cri-containerd-${id}.scope`, ['containerd', id]],
  ['nspawn', '/machine.slice/machine-web.scope/payload/system.slice/shop.service', ['nspawn', 'web']],
  ['nspawn as a service', '/machine.slice/systemd-nspawn@web.service/payload', ['nspawn', 'web']],
  ['an escaped name', '/machine.slice/machine-web\\x2d1.scope', ['nspawn', 'web-1']],
  ['docker in nspawn', `/machine.slice/machine-web.scope/payload/docker/${id}`, ['docker', id]],
  ['a virtual machine', '/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/emulator', undefined],
  ['a container of libvirt', '/machine.slice/machine-lxc\\x2d812\\x2dweb.scope', ['lxc', 'web']],
  ['lxc', '/lxc.payload.web/system.slice/shop.service', ['lxc', 'web']],
  ['lxc by its older name', '/lxc/web/init.scope', ['lxc', 'web']],
  ['what watches a container of lxc', '/lxc.monitor.web', undefined],
  ['a scope of that name elsewhere', '/user.slice/user-1000.slice/machine-web.scope', undefined],
  ['a pod’s directory elsewhere', `/builds/pod${uid}/${id}`, ['unknown', id]],
  ['a pod without a container', `/kubepods/burstable/pod${uid}`, undefined],
  ['a uid without end', `/kubepods/burstable/pod${'a'.repeat(5000)}/${id}`, ['unknown', id]],
  ['too few digits', `/docker/${id.slice(1)}`, undefined],
  ['too many digits', `/docker/${id}0`, undefined],
  ['none', '/system.slice/shop.service', undefined],
  ['the root', '/', undefined],
] as const) {
  test(`container: ${what}`, () => {
    const found = containerOf(parseCgroup(`0::${path}\n`))
    const [runtime, container, pod] = expected ?? []
    assert.deepEqual(
      found,
      expected && { id: container, runtime, ...(pod === undefined ? {} : { podUid: pod }) },
    )
  })
}

test('what memory is charged to goes before the other hierarchies', () => {
  const found = containerOf(parseCgroup(`9:name=systemd:/docker/${other}\n4:memory:/docker/${id}\n0::/\n`))
  assert.equal(found?.id, id)
  const elsewhere = containerOf(parseCgroup(`4:memory:/\n1:name=systemd:/docker/${id}\n`))
  assert.equal(elsewhere?.id, id)
})

test('a hostile name is cut, and takes no time', () => {
  const began = performance.now()
  const found = containerOf(parseCgroup(`0::/machine.slice/machine-${'\\x2d'.repeat(15_000)}.scope\n`))
  assert.equal(found?.id.length, 200)
  containerOf(parseCgroup(`0::${'/kubepods-pod'.repeat(5000)}/${'-kubepods'.repeat(5000)}${id}\n`))
  assert.ok(performance.now() - began < 200)
})

for (const [what, line, expected] of [
  ['in our own namespace', 'NSpid:\t4242', undefined],
  ['in another', 'NSpid:\t4242\t17', 17],
  ['in one of several', 'NSpid:\t4242\t310\t1', 1],
  ['of an old kernel', 'Pid:\t4242', undefined],
] as const) {
  test(`the pid inside: ${what}`, () => assert.equal(insidePid(parseStatus(`${line}\n`)), expected))
}
