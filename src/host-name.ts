import { hostname } from 'node:os'

/** What a machine is called: of a node of Kubernetes its own name, as that of a container says nothing. */
export const hostName = (env: Readonly<Record<string, string | undefined>>): string =>
  env['NODE_NAME'] ?? hostname()
