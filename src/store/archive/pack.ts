import { copyFile, mkdir, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from 'tar'
import type { Dump, DumpFile, DumpManifest } from '../../model.ts'
import { dumpFileLimits } from '../dump-files.ts'
import { hashFile } from '../hash-file.ts'
import { findSecrets, redact } from './redact.ts'

/** The list of what is in an archive, at its top. */
export const MANIFEST_NAME = 'MANIFEST.json'

/** What is to be known of a dump that is packed. */
export type PackedDump = Pick<Dump, 'id' | 'path' | 'manifest' | 'census'>

export type PackSettings = {
  /** Where to write it; nothing is there yet. */
  readonly file: string
  /** A core has the values of the service. */
  readonly withCore: boolean
  /** Undefined: nothing is taken out. */
  readonly redacting: { readonly patterns: readonly RegExp[] } | undefined
  readonly createdAt: string
}

export type ArchiveManifest = {
  readonly format: 1
  readonly created_at: string
  readonly dumps: readonly {
    readonly id: string
    /** How many secrets were taken out of its texts. */
    readonly redacted: number
    readonly left_out: readonly string[]
    readonly files: readonly DumpFile[]
  }[]
}

/** Packs dumps into a .tar.gz that can be used as a store; answers what went into it. */
export async function packArchive(
  dumps: readonly PackedDump[],
  settings: PackSettings,
): Promise<ArchiveManifest> {
  const scratch = await mkdtemp(join(tmpdir(), 'pyheap-collect-'))
  try {
    const packed = []
    for (const dump of dumps) packed.push(await prepare(dump, join(scratch, dump.id), settings))
    const manifest: ArchiveManifest = { format: 1, created_at: settings.createdAt, dumps: packed }
    await writeFile(join(scratch, MANIFEST_NAME), `${JSON.stringify(manifest, null, 1)}\n`)
    const names = [MANIFEST_NAME, ...dumps.map(({ id }) => id)]
    const archive = { file: settings.file, cwd: scratch, gzip: true, portable: true, mode: 0o640 }
    await create(archive, names)
    return manifest
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** Copies a dump, without what is not to go out. */
async function prepare(
  { id, path, manifest, census }: PackedDump,
  folder: string,
  { withCore, redacting }: PackSettings,
): Promise<ArchiveManifest['dumps'][number]> {
  await mkdir(folder, { recursive: true })
  // A service may have given itself another title than the arguments that its interpreter knows.
  const secrets = redacting
    ? findSecrets([...manifest.process.cmdline, ...(census?.python.argv ?? [])], redacting.patterns)
    : []
  const isOut = ({ name }: DumpFile): boolean => (name === 'core' && !withCore) || !(name in dumpFileLimits)
  const files: DumpFile[] = []
  for (const file of manifest.files.filter((each) => !isOut(each))) {
    const [from, to] = [join(path, file.name), join(folder, file.name)]
    if (secrets.length > 0 && isText(file.name)) await copyRedacted(from, to, secrets)
    else await copyFile(from, to)
    files.push(await describe(to, file.name))
  }
  const ending = join(path, 'ending.json')
  if (await stat(ending).catch(() => undefined)) await copyFile(ending, join(folder, 'ending.json'))
  const described: DumpManifest = JSON.parse(
    redact(JSON.stringify({ ...manifest, files }), secrets),
  ) as DumpManifest
  await writeFile(join(folder, 'dump.json'), `${JSON.stringify(described, null, 2)}\n`)
  const leftOut = manifest.files.filter(isOut).map(({ name }) => name)
  return { id, redacted: secrets.length, left_out: leftOut, files }
}

const BINARY: ReadonlySet<string> = new Set(['core', 'graph.gz'])
const isText = (name: string): boolean => !BINARY.has(name)

async function copyRedacted(from: string, to: string, secrets: readonly string[]): Promise<void> {
  await writeFile(to, redact(await readFile(from, 'utf8'), secrets))
}

async function describe(path: string, name: string): Promise<DumpFile> {
  const handle = await open(path)
  try {
    return { name, ...(await hashFile(handle)) }
  } finally {
    await handle.close()
  }
}
