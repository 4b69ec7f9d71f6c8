import type { Suspect } from './findings.ts'

/** What the daemon tells people and their programs. */

/** What is told to hooks and webhooks, and in the journal. */
export const NOTICE_KINDS = ['captured', 'failed', 'oom', 'disk-low'] as const
export type NoticeKind = (typeof NOTICE_KINDS)[number]

/** One thing that happened, as the file that a hook gets has it: no value of the service is in it. */
export type Notice = {
  readonly event: NoticeKind
  /** ISO 8601 with milliseconds. */
  readonly at: string
  readonly host: string
  /** One sentence. */
  readonly message: string
  readonly target?: string | undefined
  readonly pid?: number | undefined
  readonly unit?: string | undefined
  readonly user?: string | undefined
  /** Of Kubernetes, where that is told. */
  readonly namespace?: string | undefined
  readonly pod?: string | undefined
  readonly rule?: string | undefined
  /** Path of the dump that was published, or of the last one of the process. */
  readonly dump?: string | undefined
  readonly rss_bytes?: number | undefined
  readonly pause_ms?: number | undefined
  readonly verdict?: string | undefined
  readonly headline?: string | undefined
  readonly suspects?: readonly Pick<Suspect, 'kind' | 'title' | 'bytes' | 'confidence'>[] | undefined
  /** Of what failed. */
  readonly reason?: string | undefined
  readonly detail?: string | undefined
  readonly hint?: string | undefined
  readonly free_bytes?: number | undefined
}

/** A program that is run when something happens. */
export type Hook = {
  readonly name: string
  readonly on: readonly NoticeKind[]
  /** Never goes through a shell. */
  readonly run: readonly string[]
  readonly user: string
  readonly timeoutMs: number
}

/** An address that is told when something happens. */
export type Webhook = {
  readonly name: string
  readonly on: readonly NoticeKind[]
  readonly url:
    { readonly kind: 'plain'; readonly url: string } | { readonly kind: 'file'; readonly file: string }
  readonly format: 'slack' | 'json'
  /** A file with the token for its `Authorization: Bearer`. */
  readonly tokenFile: string | undefined
}

/** Where metrics go. */
export type MetricsPlaces = {
  /** For node_exporter's textfile collector. */
  readonly textfile: string | undefined
  /** A port of this machine alone. */
  readonly listen: { readonly host: string; readonly port: number } | undefined
}
