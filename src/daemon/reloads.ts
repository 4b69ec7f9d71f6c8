/** Turns of the loop, and who waits for the next reload. */
export function createReloads() {
  let turn = new AbortController()
  let isWanted = false
  let waiting: ((problems: readonly string[] | undefined) => void)[] = []
  let answering: typeof waiting = []
  return {
    /** The signal of the next turn; it has ended already if a reload was asked for meanwhile. */
    beginTurn: (): AbortSignal => {
      turn = new AbortController()
      if (isWanted) turn.abort()
      return turn.signal
    },
    endTurn: (): void => turn.abort(),
    /** Call it before the configuration is read: who asks from now on wants it read once more. */
    begin: (): void => {
      isWanted = false
      answering = waiting
      waiting = []
    },
    /** Answers what is wrong with the configuration, when it has been read. */
    ask: (): Promise<readonly string[] | undefined> => {
      isWanted = true
      turn.abort()
      return new Promise((resolve) => waiting.push(resolve))
    },
    answer: (problems: readonly string[] | undefined): void => {
      for (const resolve of answering) resolve(problems)
      answering = []
    },
  }
}
