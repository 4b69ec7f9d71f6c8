import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
const at = (path: string): string => fileURLToPath(new URL(path, root))

/** Where the parts of this package lie that are not TypeScript, and which version it is. */
export const installation = {
  payload: at('src/payload'),
  console: at('src/payload/console'),
  stub: at('src/stub'),
  live: at('src/live'),
  bpf: at('bpf'),
  page: at('src/report/page'),
  version: (JSON.parse(readFileSync(at('package.json'), 'utf8')) as { readonly version: string }).version,
}

/** What scripts outside this package rely on. */
export const places = {
  config: '/etc/pyheap-watchd/config.yaml',
  runDir: '/run/pyheap-watchd',
  procRoot: '/proc',
  sysRoot: '/sys',
  passwdFile: '/etc/passwd',
  /** What Docker knows of its containers. */
  dockerDir: '/var/lib/docker/containers',
}
