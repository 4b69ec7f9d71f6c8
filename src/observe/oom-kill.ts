import type { OomKill } from '../model.ts'

/** A kill in the kernel's log, and when: microseconds on the monotonic clock. */
export type LoggedKill = { readonly atUs: number; readonly kill: OomKill }

const KIB = 1024

const KILLED =
  /^(?:(Memory cgroup out of memory|Out of memory[^:]*): )?Killed process (\d{1,10}) \((.*)\),? (?:UID \d+, )?total-vm:(\d+)kB, anon-rss:(\d+)kB, file-rss:(\d+)kB(?:, shmem-rss:(\d+)kB)?/

/**
 * Reads one record of /dev/kmsg (`6,1234,98765432,-;text`) that tells of a kill by the OOM killer, in the words of any
 * kernel from 4.5 on. Only what the kernel itself has written: a program's own records have another facility.
 */
export function parseOomKill(record: string): LoggedKill | undefined {
  const [, prefix, atUs, text] = /^(\d{1,6}),\d+,(\d{1,17}),[^;]*;(.*)/.exec(record) ?? []
  if (text === undefined || Number(prefix) >> 3 !== 0) return undefined
  const [, scope, pid, name, virtual, anon, file, shmem] = KILLED.exec(text) ?? []
  if (pid === undefined) return undefined
  return {
    atUs: Number(atUs),
    kill: {
      pid: Number(pid),
      name: name ?? '',
      within: scope?.startsWith('Memory cgroup') === true ? 'cgroup' : 'host',
      virtualBytes: Number(virtual) * KIB,
      anonBytes: Number(anon) * KIB,
      fileBytes: Number(file) * KIB,
      shmemBytes: Number(shmem ?? 0) * KIB,
    },
  }
}
