import type { StoreFailure } from '../model.ts'

/** Why something could not be written, and what the operator can do about it. */
export type StoreFailed = {
  readonly kind: 'failed'
  readonly reason: StoreFailure
  readonly detail: string
  readonly hint: string
}

const reasons: Readonly<Record<string, StoreFailure>> = {
  ENOSPC: 'no-space',
  EDQUOT: 'no-space',
  EROFS: 'read-only',
  EACCES: 'not-permitted',
  EPERM: 'not-permitted',
  ENOENT: 'missing',
  ENOTDIR: 'missing',
}

const hints: Readonly<Record<StoreFailure, string>> = {
  'no-space': 'free some space, or lower keep.total, keep.age or keep.per_target',
  'read-only':
    'mount the file system read-write, or set store.dir to a place that is; see ReadWritePaths= in the unit',
  'not-permitted': 'let the daemon write there: owner root, mode 0750; see ReadWritePaths= in the unit',
  missing: 'create the directory or mount its file system, then restart the daemon',
  unsafe:
    'give it and what is above it to root, without write permission for others, or set another store.dir',
  'io-error': 'look for disk errors in the kernel log',
}

/** The code of a failed system call, or `unknown`. */
export const errorCode = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown'

/** A failure of the store for `reason`, with the words that say what to do. */
export const storeFailed = (reason: StoreFailure, detail: string): StoreFailed => ({
  kind: 'failed',
  reason,
  detail,
  hint: hints[reason],
})

/** What a failed system call means for the store; `doing` says what was being done to what. */
export function explainIoError(error: unknown, doing: string): StoreFailed {
  const why = error instanceof Error ? error.message : String(error)
  return storeFailed(reasons[errorCode(error)] ?? 'io-error', `${doing}: ${why}`)
}
