import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { type Placing, podBundle, type PodSpec } from './pod-bundle.ts'
import { RunningService } from './service.ts'

/** A container that runc runs, with what it says. */
export class RuncContainer {
  readonly service: RunningService
  readonly #state: string
  readonly #id: string
  readonly #root: string

  private constructor(state: string, id: string, root: string, service: RunningService) {
    this.#state = state
    this.#id = id
    this.#root = root
    this.service = service
  }

  /** On an overlay of its own over `placing.root`, in `scratch`. */
  static start(scratch: string, id: string, spec: PodSpec, placing: Placing): RuncContainer {
    const bundle = join(scratch, id)
    const root = mountOver(bundle, placing.root)
    const config = podBundle(spec, { ...placing, root })
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(config))
    const state = join(scratch, 'runc')
    const service = new RunningService('runc', [...options(state), 'run', '--bundle', bundle, id])
    return new RuncContainer(state, id, root, service)
  }

  /** As the kubelet runs probes, hooks and `kubectl exec`. */
  async exec(command: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
    const { exitCode, all } = await execa('runc', [...options(this.#state), 'exec', this.#id, ...command], {
      reject: false,
      all: true,
      timeout: 60_000,
    })
    return { code: exitCode ?? -1, out: all }
  }

  get pid(): number {
    const text = execFileSync('runc', [...options(this.#state), 'state', this.#id], { encoding: 'utf8' })
    return (JSON.parse(text) as { readonly pid: number }).pid
  }

  /** As the kubelet stops a pod; SIGKILL for one that takes too long. */
  async end(signal: 'TERM' | 'KILL' = 'KILL'): Promise<void> {
    for (const name of [signal, 'KILL']) {
      await execa('runc', [...options(this.#state), 'kill', this.#id, name], { reject: false })
      for (let tries = 0; this.service.isAlive && tries < 100; tries++) await sleep(100)
    }
    await execa('runc', [...options(this.#state), 'delete', '--force', this.#id], { reject: false })
    await execa('umount', ['-l', this.#root], { reject: false })
  }
}

/** An overlay over `base`, mounted at the answer. */
export function mountOver(scratch: string, base: string): string {
  const root = join(scratch, 'root')
  for (const name of ['root', 'upper', 'work']) mkdirSync(join(scratch, name), { recursive: true })
  // Those who are nobody outside walk through it.
  for (const path of [scratch, join(scratch, 'upper')]) chmodSync(path, 0o755)
  const layers = `lowerdir=${base},upperdir=${scratch}/upper,workdir=${scratch}/work`
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', layers, root])
  return root
}

const options = (state: string): readonly string[] => ['--root', state]
