import { createHash } from 'node:crypto'
import { lstat, rename, rm, rmdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { DumpFile, DumpManifest } from '../model.ts'
import { dumpFileLimits, type ContentFileName, type DumpFileName } from './dump-files.ts'
import { findGroupId } from './group.ts'
import { explainIoError, storeFailed, type StoreFailed } from './io-failure.ts'
import { formatDumpName, formatPathPart, partialSuffix, type DumpName } from './layout.ts'
import type { StorePlace } from './place.ts'
import { adoptFile } from './adopt-file.ts'
import { makeDirectory, syncDirectory, writeFileSafely } from './write-safely.ts'
import { readWriterKey, writerFile } from './writer.ts'

export type Published = {
  readonly kind: 'published'
  /** `target/name` in the store. */
  readonly id: string
  readonly path: string
  readonly manifest: DumpManifest
}

export type Written = { readonly kind: 'written'; readonly file: DumpFile }

type Paths = {
  readonly id: string
  readonly partial: string
  readonly final: string
  readonly parent: string
}

/** Begins a dump of `target`; a store that is missing is not made here, it may be a disk that is not mounted. */
export async function openDump(
  place: StorePlace,
  target: string,
  name: DumpName,
): Promise<PartialDump | StoreFailed> {
  const gid = await findGroupId(place.groupFile, 'pyheap')
  const parent = join(place.dir, formatPathPart(target))
  try {
    if ((await makeDirectory(parent, gid)) === 'made') await syncDirectory(place.dir)
    const paths = await claimName(parent, name, gid)
    if (paths === undefined)
      return storeFailed('io-error', `${parent} has no name left for ${formatDumpName(name)}`)
    const key = (await readWriterKey(place.procRoot, process.pid)) ?? ''
    const failure = await writeFileSafely(join(paths.partial, writerFile), Buffer.from(key), gid)
    const dump = new PartialDump(paths, gid)
    if (failure === undefined) return dump
    await dump.discard()
    return failure
  } catch (error) {
    return explainIoError(error, `beginning a dump in ${parent}`)
  }
}

// Who has made the `.partial` directory owns the name: another writer may have published under it only before that.
async function claimName(
  parent: string,
  name: DumpName,
  gid: number | undefined,
): Promise<Paths | undefined> {
  for (let attempt = 1; attempt <= 99; attempt += 1) {
    const last = formatDumpName(name, attempt)
    const final = join(parent, last)
    const partial = final + partialSuffix
    if ((await makeDirectory(partial, gid)) === 'existed') continue
    const isTaken = await lstat(final).then(
      () => true,
      () => false,
    )
    if (!isTaken) return { id: `${basename(parent)}/${last}`, partial, final, parent }
    await rmdir(partial)
  }
  return undefined
}

/** A dump that is being written: nobody sees it until `publish`, and after any failure there is nothing to see. */
export class PartialDump {
  readonly kind = 'partial'
  readonly #paths: Paths
  readonly #gid: number | undefined
  readonly #files: DumpFile[] = []
  #failure: StoreFailed | undefined

  constructor(paths: Paths, gid: number | undefined) {
    this.#paths = paths
    this.#gid = gid
  }

  /** `target/name` that it will have in the store. */
  get id(): string {
    return this.#paths.id
  }

  /** Where it will be found. */
  get path(): string {
    return this.#paths.final
  }

  /** Adds one file and sees it safely to the disk. */
  async write(name: ContentFileName, data: string | Uint8Array): Promise<Written | StoreFailed> {
    return this.#failure ?? this.#write(name, data)
  }

  /** Where somebody else may write a file while the dump is not yet published. */
  pathOf(name: ContentFileName): string {
    return join(this.#paths.partial, name)
  }

  /** Adds a file that somebody else has written there; nothing when nobody has. */
  async adopt(name: ContentFileName): Promise<Written | StoreFailed | undefined> {
    if (this.#failure !== undefined) return this.#failure
    const adopted = await adoptFile(this.pathOf(name), this.#gid)
    if (adopted?.kind === 'failed') this.#failure = adopted
    if (adopted === undefined || adopted.kind === 'failed') return adopted
    const file = { name, bytes: adopted.bytes, sha256: adopted.sha256 }
    this.#files.push(file)
    return { kind: 'written', file }
  }

  /** Describes the dump in dump.json and shows it to the world, or takes everything back. */
  async publish(manifest: Omit<DumpManifest, 'files'>): Promise<Published | StoreFailed> {
    const whole: DumpManifest = { ...manifest, files: [...this.#files] }
    const described = this.#failure ?? (await this.#write('dump.json', `${JSON.stringify(whole, null, 2)}\n`))
    if (described.kind === 'failed') {
      await this.discard()
      return described
    }
    const { id, partial, final, parent } = this.#paths
    try {
      await rm(join(partial, writerFile), { force: true })
      await syncDirectory(partial)
      await rename(partial, final)
      await syncDirectory(parent)
      return { kind: 'published', id, path: final, manifest: whole }
    } catch (error) {
      await this.discard()
      return explainIoError(error, `publishing ${final}`)
    }
  }

  /** Removes what has been written so far; `cleanLeftovers` gets what cannot be removed now. */
  async discard(): Promise<void> {
    this.#failure ??= storeFailed('missing', `${this.#paths.partial} has been discarded`)
    await rm(this.#paths.partial, { recursive: true, force: true }).catch(() => undefined)
  }

  async #write(name: DumpFileName, data: string | Uint8Array): Promise<Written | StoreFailed> {
    const path = join(this.#paths.partial, name)
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    const written =
      bytes.byteLength > dumpFileLimits[name]
        ? storeFailed('io-error', `${path} would have ${bytes.byteLength} bytes, more than is ever read back`)
        : await writeFileSafely(path, bytes, this.#gid)
    if (written !== undefined) {
      this.#failure = written
      return written
    }
    const file = { name, bytes: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex') }
    this.#files.push(file)
    return { kind: 'written', file }
  }
}
