import { createHash, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import { installation } from '../installation.ts'
import { readPageAssets } from '../read-page-assets.ts'
import { EXIT } from './exit-codes.ts'
import { answerPage } from './store-pages.ts'
import { type CommonOptions, type OpenStore, readSettings } from './settings.ts'
import type { Terminal } from './terminal.ts'

export type ServeOptions = CommonOptions & { readonly listen: string; readonly tokenFile?: string }

type Address = { readonly host: string; readonly port: number }

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost'])

/** `pyheapctl serve`: the store as pages for a browser, read-only. */
export async function serveCommand(options: ServeOptions, terminal: Terminal): Promise<number> {
  const address = parseAddress(options.listen)
  if (address === undefined) {
    terminal.err(`--listen: ${options.listen} is not ADDRESS:PORT`)
    return EXIT.usage
  }
  const token = options.tokenFile === undefined ? undefined : readToken(options.tokenFile, terminal)
  if (token === '') return EXIT.usage
  if (!LOOPBACK.has(address.host) && token === undefined) {
    terminal.err(
      `dumps tell much of a service: on ${address.host} they are only served to who knows a token. ` +
        'Write one into a file and name it with --token-file, or listen on 127.0.0.1',
    )
    return EXIT.usage
  }
  const settings = await readSettings(options, terminal)
  if (!settings) return EXIT.config
  return serve(address, { token, store: settings.store }, terminal)
}

/** `127.0.0.1:8765`, `[::1]:8765`, `8765`. */
function parseAddress(text: string): Address | undefined {
  const [, bracketed, plain, port = ''] = /^(?:(?:\[([0-9a-f:]+)\]|([^:\s]+)):)?(\d{1,5})$/i.exec(text) ?? []
  const number = Number(port)
  if (port === '' || number > 65_535) return undefined
  return { host: bracketed ?? plain ?? '127.0.0.1', port: number }
}

const LEAST_TOKEN = 16

/** Empty where there is none that will do; then that was told. */
function readToken(file: string, terminal: Terminal): string {
  try {
    const token = readFileSync(file, 'utf8').trim()
    if (token.length >= LEAST_TOKEN) return token
    terminal.err(`${file} has to hold a token of ${LEAST_TOKEN} characters at least`)
  } catch (error) {
    terminal.err(`--token-file: ${error instanceof Error ? error.message : String(error)}`)
  }
  return ''
}

type Served = { readonly token: string | undefined; readonly store: OpenStore }

function serve({ host, port }: Address, served: Served, terminal: Terminal): Promise<number> {
  const assets = readPageAssets(installation.page)
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    void answer(request, response)
  })
  server.maxConnections = 50
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const refused = refuse(request, served.token)
    if (refused !== undefined) return send(response, refused)
    try {
      const { status, page } = await answerPage(
        new URL(request.url ?? '/', 'http://store'),
        served.store,
        assets,
      )
      send(response, { status, text: page, type: 'text/html; charset=utf-8' })
    } catch (error) {
      terminal.err(`${request.url}: ${error instanceof Error ? error.message : String(error)}`)
      send(response, { status: 500, text: 'this page cannot be made; see where pyheapctl serve runs\n' })
    }
  }
  return new Promise((resolve) => {
    const end = (code: number): void => {
      server.close(() => resolve(code))
      server.closeAllConnections()
    }
    server.on('error', (error) => {
      terminal.err(`cannot listen on ${host} port ${port}: ${error.message}`)
      resolve(EXIT.output)
    })
    process.once('SIGINT', () => end(EXIT.ok)).once('SIGTERM', () => end(EXIT.ok))
    server.listen(port, host, () => {
      const address = server.address()
      const taken = typeof address === 'object' && address !== null ? address.port : port
      terminal.out(`http://${host.includes(':') ? `[${host}]` : host}:${taken}/`)
      terminal.err('Ctrl-C ends it')
    })
  })
}

type Reply = {
  readonly status: number
  readonly text: string
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}

function send(
  response: ServerResponse,
  { status, text, type = 'text/plain; charset=utf-8', headers }: Reply,
): void {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    ...headers,
  })
  response.end(text)
}

/** Why a request is not answered, if so. */
function refuse({ method, headers }: IncomingMessage, token: string | undefined): Reply | undefined {
  if (method !== 'GET' && method !== 'HEAD')
    return { status: 405, text: 'there is nothing here but pages to read\n', headers: { allow: 'GET, HEAD' } }
  if (token !== undefined) {
    if (hasToken(headers.authorization, token)) return undefined
    const headersToAsk = { 'www-authenticate': 'Basic realm="pyheap-watchd: the token is the password"' }
    return {
      status: 401,
      text: 'the token is the password; the name does not matter\n',
      headers: headersToAsk,
    }
  }
  // A page elsewhere may have its own name lead to this machine, to read what a browser here may see.
  const host = (headers.host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  return LOOPBACK.has(host) ? undefined : { status: 403, text: 'ask for localhost\n' }
}

function hasToken(authorization: string | undefined, token: string): boolean {
  const [, scheme = '', value = ''] = /^(Bearer|Basic) (\S{1,4096})$/i.exec(authorization ?? '') ?? []
  const given =
    scheme.toLowerCase() === 'basic'
      ? Buffer.from(value, 'base64')
          .toString('utf8')
          .replace(/^[^:]*:/, '')
      : value
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(token))
}
