/** What of /proc/PID/stat says who a process is. */
export type ProcessStat = {
  readonly pid: number
  readonly command: string
  readonly state: string
  readonly parentPid: number
  readonly isKernelThread: boolean
  readonly startTicks: number
  /** Where code and stack begin: another value after exec, even of the same file. */
  readonly image: string
}

// include/linux/sched.h
const PF_KTHREAD = 0x00200000

/** The text of /proc/PID/stat, or undefined when it is not one. */
export const parseStat = (text: string): ProcessStat | undefined => {
  // The name may itself hold spaces, parentheses and line ends; no field after it does.
  const open = text.indexOf(' (')
  const close = text.lastIndexOf(') ')
  if (open < 0 || close < open) return undefined
  const fields = text.slice(close + 2).split(' ')
  const pid = Number(text.slice(0, open))
  const parentPid = Number(fields[1])
  const startTicks = Number(fields[19])
  const isWhole = [pid, parentPid, startTicks].every((value) => Number.isSafeInteger(value) && value >= 0)
  if (!isWhole) return undefined
  return {
    pid,
    command: text.slice(open + 2, close),
    state: fields[0] ?? '',
    parentPid,
    isKernelThread: (Number(fields[6]) & PF_KTHREAD) !== 0,
    startTicks,
    image: `${fields[23] ?? ''}:${fields[25] ?? ''}`,
  }
}
