import { rename, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { MetricsPlaces } from '../model.ts'
import type { Metrics } from './metrics.ts'

const EVERY_MS = 15_000

/** Where metrics go until it is closed. `tell` hears each new kind of trouble once. */
export function startMetrics(
  { textfile, listen }: MetricsPlaces,
  { render }: Pick<Metrics, 'render'>,
  tell: (problem: string) => void,
): { readonly close: () => void } {
  const told = new Set<string>()
  const tellOnce = (problem: string): void => {
    if (!told.has(problem)) tell(problem)
    told.add(problem)
  }
  const timer = textfile === undefined ? undefined : startTextfile(textfile, render, tellOnce)
  const server = listen === undefined ? undefined : startServer(listen, render, tellOnce)
  return {
    close: () => {
      clearInterval(timer)
      server?.close()
      server?.closeAllConnections()
    },
  }
}

/** The collector must never read half a file. */
function startTextfile(
  file: string,
  render: Metrics['render'],
  tell: (problem: string) => void,
): NodeJS.Timeout {
  const write = (): void =>
    void render()
      .then(async (text) => {
        await writeFile(`${file}.new`, text, { mode: 0o644 })
        await rename(`${file}.new`, file)
      })
      .catch((error: Error) => tell(`metrics are not written: ${error.message}`))
  write()
  return setInterval(write, EVERY_MS).unref()
}

function startServer(
  { host, port }: NonNullable<MetricsPlaces['listen']>,
  render: Metrics['render'],
  tell: (problem: string) => void,
) {
  const server = createServer((request, response) => {
    request.resume()
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('GET /metrics\n')
      return
    }
    render().then(
      (text) =>
        response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text),
      () => response.writeHead(500).end(),
    )
  })
  server.maxConnections = 32
  server.requestTimeout = 10_000
  server.on('error', (error) => tell(`metrics cannot listen: ${error.message}`))
  server.listen(port, host)
  server.unref()
  return server
}
