// npm run test:suites [NAME …]: unpacks the interpreters of Debian's suites, with the libraries that they need, each
// into a directory to chroot into. Takes a minute for all four; nothing is installed, and no package's script is run.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execaSync } from 'execa'
import { INTERPRETERS, STAMP, SUITES, isMade, suitesDirectory } from './suites.ts'

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
/** What no interpreter needs in order to run. */
const LEFT_OUT = ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'usr/include', 'usr/lib/debug', '*.a']

/** apt with lists, cache and package database of its own, so that it takes the machine for empty. */
function openApt(
  home: string,
  suite: string,
  mirror: string,
): (program: string, ...args: readonly string[]) => string {
  for (const name of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(home, name), { recursive: true })
  writeFileSync(join(home, 'status'), '')
  const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : ''
  writeFileSync(join(home, 'sources.list'), `deb ${signed}${mirror} ${suite} main\n`)
  const settings = {
    'Dir::Etc::sourcelist': join(home, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State::lists': join(home, 'lists'),
    'Dir::State::status': join(home, 'status'),
    'Dir::Cache': join(home, 'cache'),
    'APT::Sandbox::User': 'root',
    'APT::Install-Recommends': 'false',
    'Debug::NoLocking': 'true',
  }
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  return (program, ...args) => run(program, [...options, '-q', ...args])
}

/** Fills the root with everything that the interpreters depend on, as it lies in the packages. */
function unpack(packages: readonly string[], root: string): void {
  mkdirSync(join(root, 'tmp'), { recursive: true })
  // Newer packages count on these links, and the older ones' folders go through them.
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    mkdirSync(join(root, 'usr', name), { recursive: true })
    symlinkSync(`usr/${name}`, join(root, name))
  }
  const tar = `tar -x --keep-directory-symlink ${LEFT_OUT.map((path) => `--exclude='./${path}'`).join(' ')}`
  const script = `dpkg-deb --fsys-tarfile "$0" | ${tar} -C "$1"`
  for (const file of packages) run('bash', ['-o', 'pipefail', '-c', script, file, root])
}

function make(name: string, mirror: string): void {
  const root = join(suitesDirectory(), name)
  const home = `${root}.partial`
  rmSync(home, { recursive: true, force: true })
  const apt = openApt(home, name, mirror)
  apt('apt-get', 'update')
  const wanted = apt('apt-cache', 'search', '--names-only', INTERPRETERS).split('\n')
  const names = wanted.map((line) => line.split(' ')[0] ?? '').filter(Boolean)
  apt('apt-get', 'install', '-y', '--download-only', ...names)
  const archives = join(home, 'cache/archives')
  const packages = readdirSync(archives).filter((file) => file.endsWith('.deb'))
  unpack(
    packages.map((file) => join(archives, file)),
    join(home, 'root'),
  )
  writeFileSync(join(home, 'root', STAMP), INTERPRETERS)
  rmSync(root, { recursive: true, force: true })
  renameSync(join(home, 'root'), root)
  rmSync(home, { recursive: true })
}

function run(program: string, args: readonly string[]): string {
  return execaSync(program, args, { env: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' } }).stdout
}

const asked = process.argv.slice(2)
for (const name of asked.length > 0 ? asked : SUITES) {
  const began = performance.now()
  if (isMade(join(suitesDirectory(), name))) process.stdout.write(`${name} is there\n`)
  else {
    make(name, run('sh', [new URL('find-mirror.sh', import.meta.url).pathname]))
    process.stdout.write(`${name} made in ${Math.round((performance.now() - began) / 1000)} s\n`)
  }
}
process.stdout.write(`they lie in ${suitesDirectory()}\n`)
