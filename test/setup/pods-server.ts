import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Something that answers as a kubelet does, over TLS with a certificate of its own CA, to those who have its token. */
export type PodsServer = {
  readonly url: string
  readonly caFile: string
  readonly tokenFile: string
  /** What was asked for so far. */
  readonly asked: string[]
  /** Answers otherwise from now on. */
  answer: (request: IncomingMessage, response: ServerResponse) => void
  /** Who has another token is not answered from now on. */
  setToken: (token: string) => void
  readonly listen: (port?: number) => Promise<number>
  readonly stop: () => Promise<void>
  readonly close: () => Promise<void>
}

export const answerJson =
  (value: unknown): PodsServer['answer'] =>
  (_, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(typeof value === 'string' ? value : JSON.stringify(value))
  }

export async function startPodsServer(): Promise<PodsServer> {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-pods-'))
  const at = (name: string): string => join(scratch, name)
  makeCertificates(scratch)
  let token = 'first-token'
  const make = () =>
    createServer(
      { key: readFileSync(at('server.key')), cert: readFileSync(at('server.crt')) },
      (request, response) => {
        server.asked.push(request.url ?? '')
        if (request.headers.authorization === `Bearer ${token}`) server.answer(request, response)
        else response.writeHead(401).end('Unauthorized')
      },
    )
  let listener = make()
  let port = 0
  writeFileSync(at('token'), `${token}\n`)
  const server = {
    url: '',
    caFile: at('ca.crt'),
    tokenFile: at('token'),
    asked: [] as string[],
    answer: answerJson({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: [] }),
    setToken: (next: string): void => {
      token = next
    },
    listen: async (wanted = 0): Promise<number> => {
      listener = make()
      listener.listen(wanted, '127.0.0.1')
      await once(listener, 'listening')
      ;({ port } = listener.address() as AddressInfo)
      server.url = `https://127.0.0.1:${port}/pods`
      return port
    },
    stop: async (): Promise<void> => {
      listener.closeAllConnections()
      await new Promise((resolve) => listener.close(resolve))
    },
    close: async (): Promise<void> => {
      await server.stop()
      rmSync(scratch, { recursive: true })
    },
  }
  await server.listen()
  return server
}

/** A CA, and the certificate that it gives to 127.0.0.1. */
function makeCertificates(directory: string): void {
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })
  }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'] as const
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '2',
    '-subj',
    '/CN=kubernetes',
  )
  openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=system:node:node-1')
  writeFileSync(join(directory, 'names'), 'subjectAltName=IP:127.0.0.1\n')
  const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'] as const
  openssl('x509', '-req', '-in', 'server.csr', ...by, '-out', 'server.crt', '-extfile', 'names')
}
