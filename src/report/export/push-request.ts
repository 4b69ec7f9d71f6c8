import type { DumpManifest, ProfileStore } from '../../model.ts'

/** What is sent to a profile store over HTTP, by POST. */
export type PushRequest = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** A form, of which `profile` is a file; or JSON. */
  readonly body:
    | {
        readonly kind: 'form'
        readonly fields: Readonly<Record<string, string>>
        readonly profile: Uint8Array
      }
    | { readonly kind: 'json'; readonly text: string }
}

/** What Pyroscope calls the values of a profile, and how it is to show them. */
const SAMPLE_TYPES = {
  inuse_objects: { units: 'objects', 'display-name': 'inuse_objects', aggregation: 'average' },
  inuse_space: { units: 'bytes', 'display-name': 'inuse_space', aggregation: 'average' },
}

/** The request that brings a profile, compressed, to a store, labelled with its target and what is configured. */
export function pushRequest(
  store: ProfileStore,
  { target, process, fingerprint = '', started_at: startedAt, finished_at: finishedAt }: DumpManifest,
  {
    profile,
    host,
    token,
  }: { readonly profile: Uint8Array; readonly host: string; readonly token: string | undefined },
): PushRequest {
  const { unit = '', container } = process
  const labels: Readonly<Record<string, string>> = {
    target,
    host,
    unit,
    namespace: container?.namespace ?? '',
    pod: container?.pod ?? '',
    container: container?.name ?? '',
    leak: fingerprint,
    ...store.labels,
  }
  const told = Object.entries(labels).filter(([, value]) => value !== '')
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const base = store.url.replace(/\/+$/, '')
  if (store.kind === 'parca') {
    const pairs = [['__name__', 'memory'] as const, ...told].map(([name, value]) => ({ name, value }))
    const rawProfile = Buffer.from(profile).toString('base64')
    const text = JSON.stringify({ series: [{ labels: { labels: pairs }, samples: [{ rawProfile }] }] })
    return {
      url: `${base}/profiles/writeraw`,
      headers: { ...headers, 'content-type': 'application/json' },
      body: { kind: 'json', text },
    }
  }
  const name = `pyheap{${told.map(([label, value]) => `${label}=${quoted(value)}`).join(',')}}`
  const seconds = (iso: string): number => Math.floor(Date.parse(iso) / 1000)
  const [from, until] = [seconds(startedAt), Math.max(seconds(finishedAt), seconds(startedAt) + 1)]
  const query = new URLSearchParams({
    name,
    from: String(from),
    until: String(until),
    format: 'pprof',
    spyName: 'pyheap',
  })
  return {
    url: `${base}/ingest?${query.toString()}`,
    headers,
    body: { kind: 'form', fields: { sample_type_config: JSON.stringify(SAMPLE_TYPES) }, profile },
  }
}

/** Pyroscope's names end a label at a comma or a brace. */
const quoted = (value: string): string => value.replaceAll(/[{},="\\\s]/g, '_')
