import { places } from './installation.ts'
import type { LimitUse, PythonProcess } from './model.ts'
import { readCgroupUses } from './observe/limits.ts'
import { findMemoryController } from './observe/memory-controller.ts'

/** How the limits of a process's own cgroups are used at the moment of asking. */
export function limitsReader({ cgroup }: Pick<PythonProcess, 'cgroup'>): () => readonly LimitUse[] {
  const controller = findMemoryController(places.procRoot, places.sysRoot)
  return () => (controller ? readCgroupUses(controller, cgroup) : [])
}
