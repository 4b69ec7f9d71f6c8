import { readFile } from 'node:fs/promises'

/** The keys of an account. */
export type Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string }

const MOST_BYTES = 64 * 1024

/**
 * The keys in a file of the form that AWS's command line has, under `[default]`, or in the environment where there is no
 * file; an error that says what to do where there are none. Read anew each time: keys are changed while the daemon runs.
 */
export async function readCredentials(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Credentials | Error> {
  if (file === undefined) {
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env
    return accessKeyId && secretAccessKey
      ? { accessKeyId, secretAccessKey }
      : new Error('no keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a credentials file')
  }
  const text = await readFile(file, 'utf8').catch((error: Error) => error)
  if (text instanceof Error) return text
  if (text.length > MOST_BYTES) return new Error(`${file} is too large for credentials`)
  return (
    parseCredentials(text) ??
    new Error(`${file} has no aws_access_key_id and aws_secret_access_key under [default]`)
  )
}

/** The keys under `[default]`. */
export const parseCredentials = (text: string): Credentials | undefined => {
  const values = new Map<string, string>()
  let section = 'default'
  for (const line of text.split('\n')) {
    section = /^\s*\[\s*([^\]]*?)\s*\]/.exec(line)?.[1] ?? section
    const [, name, value] = /^\s*(\w+)\s*=\s*(\S+)\s*$/.exec(line) ?? []
    if (section === 'default' && name !== undefined && value !== undefined)
      values.set(name.toLowerCase(), value)
  }
  const [accessKeyId, secretAccessKey] = [
    values.get('aws_access_key_id'),
    values.get('aws_secret_access_key'),
  ]
  return accessKeyId === undefined || secretAccessKey === undefined
    ? undefined
    : { accessKeyId, secretAccessKey }
}
