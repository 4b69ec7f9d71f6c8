/** What is left where a secret was. */
export const REDACTED = '[redacted]'

/** Arguments that are secrets by their names: `--db-password=…`, `--token …`, `API_KEY=…`, and passwords in URLs. */
const SECRET_NAME = '[\\w-]*(?:passw(?:or)?d|passphrase|secret|token|api[-_]?key|credentials?)[\\w-]*'
const NAMED = new RegExp(`^-{0,2}${SECRET_NAME}[=:](.+)$`, 'is')
const NAME_ALONE = new RegExp(`^--?${SECRET_NAME}$`, 'i')
const IN_URL = /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:([^/\s@]+)@/i

/** Shorter ones would be found everywhere. */
const LEAST_CHARACTERS = 3

/**
 * The secrets in a command line: what stands behind names of secrets, passwords in URLs, and what one of the patterns
 * matches; of a pattern with a group, the group.
 */
export function findSecrets(cmdline: readonly string[], patterns: readonly RegExp[]): readonly string[] {
  const found = cmdline.flatMap((argument, at) => [
    ...(NAMED.exec(argument)?.slice(1) ?? []),
    ...(NAME_ALONE.test(cmdline[at - 1] ?? '') && !argument.startsWith('-') ? [argument] : []),
    ...(IN_URL.exec(argument)?.slice(1) ?? []),
    ...patterns.flatMap((pattern) => {
      const match = pattern.exec(argument)
      return match ? [match[1] ?? match[0]] : []
    }),
  ])
  // The longest first: one may be part of another.
  return [...new Set(found)]
    .filter((secret) => secret.length >= LEAST_CHARACTERS)
    .toSorted((a, b) => b.length - a.length)
}

/** Takes secrets out of a text, as they stand there, in JSON, or in HTML. */
export const redact = (text: string, secrets: readonly string[]): string =>
  secrets
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), escapeHtml(secret)])
    .reduce((left, form) => left.replaceAll(form, REDACTED), text)

/** As src/report/html/markup.ts does. */
const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0) ?? 0};`)
