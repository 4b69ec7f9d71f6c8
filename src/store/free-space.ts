import { access, constants, statfs } from 'node:fs/promises'
import { explainIoError, storeFailed, type StoreFailed } from './io-failure.ts'

/** What a dump may take, and what must be left on the disk for everybody else. */
export type SpaceNeed = { readonly estimateBytes: number; readonly reserveBytes: number }

export type FreeSpace = { readonly kind: 'enough'; readonly freeBytes: number }

const mib = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20).toLocaleString('en-US')} MiB`

/** Asks before a capture whether its dump would fit, so that no service is stopped for a dump that cannot be kept. */
export async function checkFreeSpace(dir: string, need: SpaceNeed): Promise<FreeSpace | StoreFailed> {
  try {
    await access(dir, constants.W_OK)
    const fs = await statfs(dir)
    return judgeFreeSpace(dir, fs, need)
  } catch (error) {
    return explainIoError(error, `asking for the free space of ${dir}`)
  }
}

/** The judgement alone: blocks and inodes that are left against what is needed. */
export function judgeFreeSpace(
  dir: string,
  fs: { readonly bavail: number; readonly bsize: number; readonly files: number; readonly ffree: number },
  need: SpaceNeed,
): FreeSpace | StoreFailed {
  const freeBytes = fs.bavail * fs.bsize
  const wantedBytes = need.estimateBytes + need.reserveBytes
  if (freeBytes < wantedBytes) {
    const parts = `${mib(need.estimateBytes)} for the dump and ${mib(need.reserveBytes)} in reserve`
    return storeFailed(
      'no-space',
      `${dir} has ${mib(freeBytes)} free, needed are ${mib(wantedBytes)}: ${parts}`,
    )
  }
  // File systems that make inodes as they go, btrfs for one, say 0 of 0.
  if (fs.files > 0 && fs.ffree < 16) return storeFailed('no-space', `${dir} has ${fs.ffree} inodes left`)
  return { kind: 'enough', freeBytes }
}
