/** What the logger writes: a constant short message, everything that varies in the fields. */
export type LogLine = {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}
