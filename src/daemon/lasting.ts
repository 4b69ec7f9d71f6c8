/** One thing at a time, made anew when what it is made for changes. */
export function lasting<T>(close: (value: T) => void | Promise<void>) {
  let held: { readonly key: string; readonly value: T } | undefined
  return {
    get: (key: string, make: () => T): T => {
      if (held?.key === key) return held.value
      if (held) void close(held.value)
      held = { key, value: make() }
      return held.value
    },
    end: async (): Promise<void> => {
      if (held) await close(held.value)
      held = undefined
    },
  }
}
