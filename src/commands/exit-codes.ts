/** Exit codes of both programs; the README lists them. */
export const EXIT = {
  ok: 0,
  bug: 1,
  /** The operator's own code raised; the traceback tells it from a defect of ours. */
  raised: 1,
  usage: 2,
  notFound: 3,
  captureFailed: 4,
  config: 5,
  store: 6,
  doctor: 7,
  notRoot: 8,
  output: 9,
  noDaemon: 10,
} as const
