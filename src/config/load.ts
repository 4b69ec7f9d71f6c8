import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CheckCron } from './check-rule.ts'
import { parseConfig } from './parse.ts'
import type { ConfigFile, ParsedConfig } from './parse.ts'
import { fileProblem } from './problem.ts'
import type { Problem } from './problem.ts'
import { LARGEST_FILE_BYTES } from './read-tree.ts'

const MOST_DROP_INS = 100

/** The config of a main file and the `*.yaml` of a directory, by default `config.d` beside it, in the order of names. */
export const loadConfig = async (
  path: string,
  dropInDir: string | undefined,
  deps: { readonly checkCron: CheckCron },
): Promise<ParsedConfig> => {
  const main = await readText(path, missingMain(path))
  const dropIns = await readDropIns(dropInDir ?? join(dirname(path), 'config.d'))
  const results = [main, ...dropIns]
  const problems = results.flatMap((result) => (result.kind === 'failed' ? [result.problem] : []))
  if (problems.length > 0) return { kind: 'invalid', problems }
  return parseConfig(
    results.flatMap((result) => (result.kind === 'text' ? [result.file] : [])),
    deps,
  )
}

type Read =
  | { readonly kind: 'text'; readonly file: ConfigFile }
  | { readonly kind: 'failed'; readonly problem: Problem }

const failed = (path: string, message: string): Read => ({
  kind: 'failed',
  problem: fileProblem(path, message),
})

const missingMain = (path: string): string => {
  const shipped = fileURLToPath(new URL('../../config/pyheap-watchd.yaml', import.meta.url))
  return `there is no such file. Make one from the default: install -D -m 0644 ${shipped} ${path}`
}

const readDropIns = async (directory: string): Promise<readonly Read[]> => {
  try {
    const names = (await readdir(directory)).filter((name) => name.endsWith('.yaml') && !name.startsWith('.'))
    if (names.length > MOST_DROP_INS) return [failed(directory, `holds more than ${MOST_DROP_INS} drop-ins`)]
    // One after the other, so that at most one file is open.
    const files: Read[] = []
    for (const name of names.toSorted())
      files.push(await readText(join(directory, name), 'has just been removed'))
    return files
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? [] : [failed(directory, `cannot be listed: ${reasonOf(error)}`)]
  }
}

const readText = async (path: string, missing: string): Promise<Read> => {
  try {
    // Opening a pipe without O_NONBLOCK would wait for whoever writes to it.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    if (!(await file.stat()).isFile()) return failed(path, 'is not a regular file')
    const chunks: Uint8Array[] = await file
      .createReadStream({ end: LARGEST_FILE_BYTES, autoClose: false })
      .toArray()
    const bytes = Buffer.concat(chunks)
    if (bytes.length > LARGEST_FILE_BYTES) return failed(path, 'is larger than 1 MiB')
    return { kind: 'text', file: { path, text: decode(bytes) } }
  } catch (error) {
    if (codeOf(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA') return failed(path, 'is not UTF-8 text')
    return failed(path, codeOf(error) === 'ENOENT' ? missing : `cannot be read: ${reasonOf(error)}`)
  }
}

const decode = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes)

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown'

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'it is not a directory',
  ELOOP: 'too many symbolic links',
  EIO: 'input/output error',
}

const reasonOf = (error: unknown): string => {
  const code = codeOf(error)
  return REASONS[code] ?? code
}
