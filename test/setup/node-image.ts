import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { readKnownConfig } from './kubernetes-config.ts'

const here = new URL('../..', import.meta.url).pathname
const kubernetes = join(here, 'config/kubernetes')

/** A sandbox may hide its init even from root: then this process stands for it, which has the same namespaces. */
export function withInit(command: readonly string[]): readonly string[] {
  try {
    readlinkSync('/proc/1/ns/cgroup')
    return command
  } catch {
    return command.map((word, at) => (command[at - 1] === '--target' ? String(process.pid) : word))
  }
}

/** What the Containerfile says, without a tool that builds images: its COPY and its RUN. */
export function buildImage(root: string, scratch: string): void {
  const packages = join(scratch, 'packages')
  execFileSync('sh', [join(here, 'systemd/package/build.sh'), '--deb-only', '--out', packages], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const file = readFileSync(join(kubernetes, 'Containerfile'), 'utf8').replaceAll('\\\n', '')
  const tag = /^ARG VERSION=(.*)$/m.exec(file)?.[1] ?? ''
  const [, source = '', folder = ''] = /^COPY (\S+) (\S+)$/m.exec(file) ?? []
  const deb = source.replaceAll('${VERSION}', tag)
  copyFileSync(join(packages, deb), join(root, folder, deb))
  execFileSync('chroot', [root, '/bin/sh', '-c', /^RUN (.*)$/m.exec(file)?.[1] ?? 'false'], {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', VERSION: tag, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 300_000,
  })
}

/** As the kubelet lays a projected volume: a sticky directory of links. */
export function projectConfig(folder: string, ours: object): void {
  const data = '..data'
  mkdirSync(join(folder, '..2026', 'config.d'), { recursive: true })
  chmodSync(folder, 0o1777)
  const shipped = readKnownConfig(readFileSync(join(kubernetes, 'config.yaml'), 'utf8'))
  writeFileSync(join(folder, '..2026', 'config.yaml'), shipped)
  writeFileSync(join(folder, '..2026', 'config.d', 'test.yaml'), JSON.stringify(ours))
  symlinkSync('..2026', join(folder, data))
  for (const name of ['config.yaml', 'config.d']) symlinkSync(`${data}/${name}`, join(folder, name))
}
