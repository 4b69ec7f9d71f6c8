import { resolveInterpreter } from './interpreter.ts'

/**
 * Looks up a process's interpreter for nothing: code that has run once is compiled and finds its files in the cache,
 * and then takes 4 ms instead of 40.
 */
export function rehearseCapture(procRoot: string, pid: number): void {
  try {
    resolveInterpreter(procRoot, pid)
  } catch {
    return // the process has ended
  }
}
