import { pinDump, unpinDump } from '../store/pin.ts'
import { storeAt } from '../store/place.ts'
import { resolveDump } from '../store/resolve-dump.ts'
import { EXIT } from './exit-codes.ts'
import { tellUnresolved } from './find-dump.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import type { Terminal } from './terminal.ts'

export type PinOptions = CommonOptions & { readonly why?: string | undefined }

/** `pyheapctl pin DUMP`: it stays, whatever store.keep says; `unpin` takes that back. */
export async function pinCommand(
  argument: string,
  isPin: boolean,
  options: PinOptions,
  terminal: Terminal,
): Promise<number> {
  const settings = await readSettings(options, terminal)
  if (!settings) return EXIT.config
  const { dir } = settings.store
  const resolved = await resolveDump(dir, argument)
  if (resolved.kind !== 'found') return tellUnresolved(resolved, argument, terminal)
  const { id, path } = resolved.dump
  const failed = isPin ? await pinDump(storeAt(dir), path, options.why ?? '') : await unpinDump(path)
  if (failed) {
    terminal.err(`${failed.detail}\n${failed.hint}`)
    return EXIT.store
  }
  if (options.json === true) terminal.out(JSON.stringify({ dump: id, pinned: isPin }))
  else terminal.out(isPin ? `${id} is kept until it is unpinned` : `${id} may expire again`)
  return EXIT.ok
}
