import type { Notice, NoticeKind } from '../model.ts'

/** Who is told of what happens. */
export type Receiver = {
  readonly name: string
  readonly on: readonly NoticeKind[]
  /** Answers why it could not be told, if it could not. */
  readonly tell: (notice: Notice) => Promise<string | undefined>
}

export type Delivered = { readonly to: string; readonly what: string; readonly problem?: string | undefined }

/** Tells each receiver what it wants to hear, one thing after the other; a slow one keeps nobody else waiting. */
export function createDelivery(receivers: readonly Receiver[], report: (delivered: Delivered) => void) {
  const queues = receivers.map((receiver) => ({ receiver, waiting: [] as Notice[], work: Promise.resolve() }))
  return {
    deliver: (notice: Notice): void => {
      for (const queue of queues.filter(({ receiver }) => receiver.on.includes(notice.event))) {
        const { receiver, waiting } = queue
        if (waiting.length >= MOST_WAITING) {
          report({ to: receiver.name, what: notice.event, problem: 'too many wait for it already' })
          continue
        }
        waiting.push(notice)
        queue.work = queue.work.then(async () => {
          waiting.shift()
          const problem = await receiver.tell(notice).catch((error: unknown) => String(error))
          report({ to: receiver.name, what: notice.event, problem })
        })
      }
    },
    /** When everything that was to be told is told. */
    settled: async (): Promise<void> => void (await Promise.all(queues.map(({ work }) => work))),
  }
}

const MOST_WAITING = 64
