import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'
import type { Observation } from '../../model.ts'
import { SampleEncoder } from './format.ts'

/** Of a file; the one before it is kept beside it. */
const MOST_BYTES = 64 * 2 ** 20

export type Recorder = { readonly record: (observation: Observation) => void; readonly close: () => void }

/**
 * Appends what is observed to a file, for `pyheapctl replay`. When it is full it becomes FILE.1 and another is begun.
 * `tell` hears why nothing more is recorded.
 */
export function openRecorder(
  file: string,
  everybody: () => Observation['appeared'],
  tell: (problem: string) => void,
): Recorder {
  const encoder = new SampleEncoder()
  let fd: number | undefined
  let bytes = 0
  const begin = (): void => {
    fd = openSync(file, 'a', 0o640)
    bytes = fstatSync(fd).size
    encoder.reset()
  }
  const end = (problem: string): void => {
    if (fd !== undefined) closeSync(fd)
    fd = undefined
    tell(problem)
  }
  let isNew = true
  try {
    begin()
  } catch (error) {
    end((error as Error).message)
  }
  return {
    record: (observation) => {
      if (fd === undefined) return
      try {
        if (bytes > MOST_BYTES) {
          closeSync(fd)
          renameSync(file, `${file}.1`)
          begin()
          isNew = true
        }
        const whole = isNew ? { ...observation, appeared: everybody() } : observation
        isNew = false
        bytes += writeSync(fd, encoder.line(whole))
      } catch (error) {
        end((error as Error).message)
      }
    },
    close: () => {
      if (fd !== undefined) closeSync(fd)
      fd = undefined
    },
  }
}
