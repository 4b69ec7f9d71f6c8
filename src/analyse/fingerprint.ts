import { createHash } from 'node:crypto'
import type { Suspect } from '../model.ts'

/**
 * Twelve digits that are the same for the same leak in every process of every host: made of who holds it and of what
 * type it is, without what differs from process to process (numbers, addresses, names of threads' ids, sizes). Undefined
 * where nobody is suspected.
 */
export function fingerprintOf(suspects: readonly Suspect[]): string | undefined {
  const [first] = suspects
  if (first === undefined) return undefined
  const { kind, owner, type, title } = first
  // Whoever is no owner is told by its title, whose numbers are sizes.
  const parts = owner === undefined ? [kind, title] : [kind, owner.kind, owner.scope, owner.path, type ?? '']
  return createHash('sha256').update(parts.map(withoutNumbers).join('\0')).digest('hex').slice(0, 12)
}

const withoutNumbers = (text: string): string =>
  text
    .replaceAll(/0x[\da-f]+/gi, '#')
    .replaceAll(/[\d.,]*\d[\d.,]*(?: ?[KMGT]?i?B\b)?/g, '#')
    .slice(0, 1000)
