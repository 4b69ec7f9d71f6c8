import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { emptyMemory, type Memory } from '../decide/memory.ts'
import { restore, serialise } from '../decide/saved-state.ts'

const stateFile = ({ store }: Config): string => join(store.dir, '.state.json')

/** What an earlier daemon remembered: limits, cool-downs and baselines outlive it. */
export function loadMemory(config: Config, tellRefused: (reason: string) => void): Memory {
  const text = readState(stateFile(config))
  if (text === undefined) return emptyMemory()
  const restored = restore(text, { nowMs: performance.now(), wallMs: Date.now() })
  if (restored.kind === 'refused') tellRefused(restored.reason)
  return restored.memory
}

function readState(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined // the first start
  }
}

/** Keeps what is remembered for the next daemon; answers why it could not: a full disk must not stop the watch. */
export function saveMemory(config: Config, memory: Memory): string | undefined {
  const file = stateFile(config)
  try {
    const text = serialise(memory, { nowMs: performance.now(), wallMs: Date.now() })
    writeFileSync(`${file}.new`, text, { mode: 0o640 })
    renameSync(`${file}.new`, file)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
