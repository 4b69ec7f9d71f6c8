import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { ContainerIdentity } from '../../../src/model.ts'
import { createContainerNaming } from '../../../src/observe/containers/container-names.ts'
import { answerJson, startPodsServer } from '../../setup/pods-server.ts'

const dockerDir = mkdtempSync(join(tmpdir(), 'pyheap-docker-'))
const server = await startPodsServer()
after(async () => {
  await server.close()
  rmSync(dockerDir, { recursive: true })
})

const docker = (digit: string): ContainerIdentity => ({ id: digit.repeat(64), runtime: 'docker' })
const write = (id: string, text: string): void => {
  mkdirSync(join(dockerDir, id))
  writeFileSync(join(dockerDir, id, 'config.v2.json'), text)
}

test('Docker’s own files name its containers, where they can be read', async () => {
  const [web, odd, gone] = [docker('a'), docker('b'), docker('c')]
  const config = { Image: 'shop/api:1.2', Labels: { 'com.docker.compose.service': 'web' }, Env: ['SECRET=1'] }
  write(web.id, JSON.stringify({ ID: web.id, Name: '/shop-web-1', State: { Running: true }, Config: config }))
  write(odd.id, '{"Name": 7}')
  const naming = createContainerNaming({ dockerDir })
  await naming.refresh([web, odd, gone], 0)
  assert.deepEqual(naming.name(web), {
    ...web,
    name: 'shop-web-1',
    image: 'shop/api:1.2',
    labels: { 'com.docker.compose.service': 'web' },
  })
  assert.equal(naming.name(web), naming.name(web), 'the same object')
  assert.deepEqual([naming.name(odd), naming.name(gone)], [odd, gone])
})

test('what runs a container is told by who knows, and its pod by its cgroup', async () => {
  const id = 'd4'.repeat(32)
  server.answer = answerJson({
    kind: 'PodList',
    items: [
      {
        metadata: { name: 'api', namespace: 'shop', uid: 'of-the-api' },
        status: { containerStatuses: [{ name: 'web', containerID: `docker://${id}` }] },
      },
    ],
  })
  const { url, tokenFile, caFile } = server
  const naming = createContainerNaming({ dockerDir, pods: { url, tokenFile, caFile, isCaOptional: false } })
  const identity: ContainerIdentity = { id, runtime: 'containerd', podUid: 'of-the-cgroup' }
  await naming.refresh([identity], 0)
  const { runtime, podUid, pod } = naming.name(identity)
  assert.deepEqual([runtime, podUid, pod], ['docker', 'of-the-cgroup', 'api'])
  naming.close()
})

test('who is slow holds the watch up for a second at most, and is heard later', async () => {
  const id = 'e5'.repeat(32)
  let answer: () => void = () => assert.fail('not asked')
  const list = {
    kind: 'PodList',
    items: [
      {
        metadata: { name: 'api', namespace: 'shop', uid: 'u' },
        status: { containerStatuses: [{ name: 'web', containerID: `containerd://${id}` }] },
      },
    ],
  }
  server.answer = (request, response) => {
    answer = () => answerJson(list)(request, response)
  }
  const { url, tokenFile, caFile } = server
  const naming = createContainerNaming({ dockerDir, pods: { url, tokenFile, caFile, isCaOptional: false } })
  const identity: ContainerIdentity = { id, runtime: 'containerd' }
  const began = performance.now()
  await naming.refresh([identity], 0)
  const waited = performance.now() - began
  assert.ok(waited > 900 && waited < 1500, `waited ${waited} ms`)
  assert.equal(naming.name(identity), identity)
  await naming.refresh([identity], 5000)
  assert.ok(performance.now() - began - waited < 200, 'nobody waits twice')
  answer()
  for (let tries = 0; tries < 100 && naming.version() === 0; tries++)
    await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(naming.name(identity).pod, 'api')
  naming.close()
})
