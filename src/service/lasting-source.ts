import type { Trigger } from '../model.ts'

type Source = (push: (trigger: Trigger) => void) => () => void

/** A source that goes on while the loop begins anew, as on a reload; what it pushes meanwhile is lost. */
export type LastingSource = { readonly source: Source; readonly close: () => void }

/** Starts a source once, when it is first listened to. */
export function lastingSource(source: Source): LastingSource {
  let listener: ((trigger: Trigger) => void) | undefined
  let stop: (() => void) | undefined
  return {
    source: (push) => {
      listener = push
      stop ??= source((trigger) => listener?.(trigger))
      return () => {
        listener = undefined
      }
    },
    close: () => {
      stop?.()
      stop = undefined
    },
  }
}
