import type { Config } from './config/config.ts'
import { hostName } from './host-name.ts'
import type { PodsPlace } from './observe/containers/fetch-pods.ts'

/** Where this machine's pods are asked for; undefined where they are not. */
export const podsPlace = (
  { podsUrl, tokenFile, caFile, isCaOptional }: Config['kubernetes'],
  env: NodeJS.ProcessEnv,
): PodsPlace | undefined => {
  if (podsUrl === undefined) return undefined
  return {
    url: podsUrl.replaceAll('{node}', encodeURIComponent(hostName(env))),
    tokenFile,
    caFile,
    isCaOptional,
  }
}
