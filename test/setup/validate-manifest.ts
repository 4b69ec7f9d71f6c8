import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** A Kubernetes object, as far as every one is alike. */
export type Manifest = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
}

type Validate = ((data: unknown) => boolean) & {
  readonly errors?: readonly { readonly instancePath: string; readonly keyword: string }[] | null
}

const GROUPS: Readonly<Record<string, string>> = {
  v1: 'CoreV1',
  'apps/v1': 'AppsV1',
  'rbac.authorization.k8s.io/v1': 'RbacV1',
}

const require = createRequire(import.meta.url)

/**
 * What the API server would have against it, by Kubernetes' own OpenAPI schemas (kubernetes-models); undefined for what
 * is no part of Kubernetes. Fields that no schema knows are mistakes too: these schemas ignore them, so whoever is not
 * asked for while it is checked is unknown.
 */
export function findMistakes(manifest: Manifest): readonly string[] | undefined {
  const group = GROUPS[manifest.apiVersion]
  if (group === undefined) return undefined
  // By its path, for the package does not offer these by name.
  const file = join(
    dirname(require.resolve('kubernetes-models')),
    `_schemas/IoK8sApi${group}${manifest.kind}.js`,
  )
  const { validate } = require(file) as { readonly validate: Validate }
  const unasked = new Set<string>()
  validate(watch(manifest, '', unasked))
  const errors = (validate.errors ?? []).map(({ instancePath, keyword }) => `${instancePath}: ${keyword}`)
  return [...errors, ...[...unasked].map((path) => `${path}: unknown`)]
}

/** The same value, whose fields leave `unasked` when somebody reads them. */
function watch(
  value: unknown,
  path: string,
  unasked: Set<string>,
  seen = new WeakMap<object, unknown>(),
): unknown {
  if (typeof value !== 'object' || value === null) return value
  const known = seen.get(value)
  if (known !== undefined) return known
  if (!Array.isArray(value)) for (const key of Object.keys(value)) unasked.add(`${path}/${key}`)
  const proxy: unknown = new Proxy(value, {
    get: (target, key) => {
      const at = `${path}/${String(key)}`
      unasked.delete(at)
      return watch(Reflect.get(target, key), at, unasked, seen)
    },
  })
  seen.set(value, proxy)
  return proxy
}
