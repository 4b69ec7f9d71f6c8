import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'

/** How a command in a container has ended. */
export type Ran = { readonly code: number; readonly out: string; readonly err: string }

/** A Debian that is run by systemd, in a container of its own; what is changed in it is gone with it. */
export class Container {
  readonly root: string
  readonly #scratch: string
  readonly #nspawn: ChildProcess
  readonly #leader: number

  private constructor(scratch: string, nspawn: ChildProcess, leader: number) {
    this.#scratch = scratch
    this.root = join(scratch, 'root')
    this.#nspawn = nspawn
    this.#leader = leader
  }

  /** Boots a copy of what make-debian.sh has made. */
  static async boot(base: string): Promise<Container> {
    const scratch = mkdtempSync(join(tmpdir(), 'pyheap-container-'))
    const root = join(scratch, 'root')
    for (const name of ['root', 'upper', 'work']) mkdirSync(join(scratch, name))
    const options = `lowerdir=${base},upperdir=${scratch}/upper,workdir=${scratch}/work`
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, root])
    const machine = `pyheap-${process.pid}`
    const args = [
      '-q',
      '-D',
      root,
      `--machine=${machine}`,
      '--register=no',
      '--keep-unit',
      '--console=pipe',
      '-b',
    ]
    const env = { ...process.env, SYSTEMD_NSPAWN_API_VFS_WRITABLE: '1' }
    const nspawn = spawn('systemd-nspawn', args, { stdio: ['ignore', 'ignore', 'ignore'], env })
    for (let tries = 0; tries < 100; tries++) {
      await sleep(200)
      const leader = childOf(nspawn.pid ?? 0)
      if (leader === undefined) continue
      const container = new Container(scratch, nspawn, leader)
      const { out } = await container.run('systemctl is-system-running')
      if (!/running|degraded/.test(out)) continue
      // The controllers of cgroup v1 are read-only in a container, unless somebody outside says otherwise.
      await container.run(
        'for c in memory cpu; do mount -o remount,rw,bind /sys/fs/cgroup/$c; done; systemctl daemon-reexec; sleep 1',
      )
      return container
    }
    nspawn.kill('SIGKILL')
    throw new Error('the container did not boot')
  }

  /** Runs a line of shell in it, as root. */
  async run(script: string, options: { readonly timeoutMs?: number } = {}): Promise<Ran> {
    const enter = [
      '-t',
      String(this.#leader),
      '-m',
      '-u',
      '-i',
      '-n',
      '-p',
      '-C',
      '--',
      '/bin/sh',
      '-c',
      script,
    ]
    const { exitCode, stdout, stderr } = await execa('nsenter', enter, {
      reject: false,
      timeout: options.timeoutMs ?? 120_000,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LC_ALL: 'C.UTF-8' },
      extendEnv: false,
      stdin: 'ignore',
    })
    return { code: exitCode ?? -1, out: stdout, err: stderr }
  }

  /** The same, and it has to work. */
  async does(script: string, options?: { readonly timeoutMs?: number }): Promise<string> {
    const { code, out, err } = await this.run(script, options)
    if (code !== 0) throw new Error(`${script}\nexit ${code}\n${out}\n${err}`)
    return out
  }

  /** Runs it again and again until it works and its output is like `pattern`. */
  async becomes(script: string, pattern: RegExp, withinMs = 30_000): Promise<string> {
    const end = performance.now() + withinMs
    for (;;) {
      const ran = await this.run(script)
      if (ran.code === 0 && pattern.test(ran.out)) return ran.out
      if (performance.now() > end)
        throw new Error(
          `${script}\nnever became ${String(pattern)}: exit ${ran.code}\n${ran.out}\n${ran.err}`,
        )
      await sleep(200)
    }
  }

  write(path: string, text: string): void {
    const file = join(this.root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }

  async end(): Promise<void> {
    const cgroups = cgroupsOf(this.#leader)
    process.kill(this.#leader, 'SIGKILL')
    for (
      let tries = 0;
      this.#nspawn.exitCode === null && this.#nspawn.signalCode === null && tries < 50;
      tries++
    )
      await sleep(100)
    execFileSync('umount', ['-l', this.root])
    for (const path of cgroups) removeCgroups(path)
    rmSync(this.#scratch, { recursive: true, force: true })
  }
}

/** What the container's systemd has made of cgroup v1's controllers lies beside its init, and outlives it. */
function cgroupsOf(leader: number): readonly string[] {
  return readFileSync(`/proc/${leader}/cgroup`, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, controller = '', path = ''] = /^\d+:(\w+):(.*)\/init\.scope$/.exec(line) ?? []
      return controller === '' ? [] : [`/sys/fs/cgroup/${controller}${path}`]
    })
}

function removeCgroups(folder: string): void {
  const made = /\.(?:slice|scope|service|mount|socket)$/
  const remove = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true }))
      if (entry.isDirectory()) remove(join(path, entry.name))
    rmdirSync(path)
  }
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory() && made.test(entry.name)) remove(join(folder, entry.name))
}

/** nspawn's own init, which is the container's first process. */
function childOf(pid: number): number | undefined {
  try {
    const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
    return first === undefined || first === '' ? undefined : Number(first)
  } catch {
    return undefined
  }
}
