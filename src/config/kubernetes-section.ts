import { z } from 'zod'
import { path, section } from './fields.ts'
import { quoted } from './words.ts'

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'
const DEFAULT_CA = `${ACCOUNT}/ca.crt`

/** The section `kubernetes`. */
export const kubernetesSchema = section('Names of pods, and what their annotations ask for.', {
  pods_url: z
    .string()
    .max(1000)
    .regex(/^(?:off|https:\/\/[^\s/@]+\/\S*)$/, {
      error: ({ input }) =>
        `${quoted(String(input))} is no address of pods: write off, ` +
        'https://kubernetes.default.svc/api/v1/pods?fieldSelector=spec.nodeName%3D{node} or https://127.0.0.1:10250/pods',
    })
    .prefault('off')
    .meta({
      description:
        "Where the pods of this node are asked for: of the API, or of the kubelet; {node} is NODE_NAME of the environment, else the machine's name. Or off.",
    }),
  token_file: path().prefault(`${ACCOUNT}/token`).meta({
    description: 'File with the token of a service account; read anew for each request.',
  }),
  ca_file: path().prefault(DEFAULT_CA).meta({
    description: 'File with the CA of who answers.',
  }),
  opt_in: z.boolean().prefault(false).meta({
    description: "Whether pods are watched only where their annotation pyheap-watchd/watch is 'true'.",
  }),
})

/** Where and how Kubernetes is asked. */
export type KubernetesConfig = {
  readonly podsUrl: string | undefined
  readonly tokenFile: string
  readonly caFile: string
  /** Nobody has asked for this file: where it is missing, what the system trusts will do. */
  readonly isCaOptional: boolean
  readonly isOptIn: boolean
}

/** A section that the schema has accepted. */
export const toKubernetes = (file: z.output<typeof kubernetesSchema>): KubernetesConfig => ({
  podsUrl: file.pods_url === 'off' ? undefined : file.pods_url,
  tokenFile: file.token_file,
  caFile: file.ca_file,
  isCaOptional: file.ca_file === DEFAULT_CA,
  isOptIn: file.opt_in,
})
