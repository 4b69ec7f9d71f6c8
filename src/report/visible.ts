/**
 * Text from outside as it may be shown: whatever moves the cursor, changes colours, hides or turns letters round is
 * spelled out, and what is longer than `max` is cut.
 */
export function visible(text: string, max = 1000): string {
  const cut = text.length > max ? `${text.slice(0, max)}…` : text
  return cut.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, spellOut)
}

function spellOut(character: string): string {
  const code = character.codePointAt(0) ?? 0
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
}

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1b000}-\u{1f9ff}\u{20000}-\u{3fffd}]/u

/** How many columns a terminal needs for visible text. */
export function widthOf(text: string): number {
  let columns = 0
  for (const character of text) columns += wide.test(character) ? 2 : 1
  return columns
}

/** Cuts visible text so that it fits into so many columns. */
export function fit(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  return `${takeColumns(Array.from(text), columns - 1).join('')}…`
}

/** The same, cut in front: the end of a path says most. */
export function fitEnd(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  return `…${takeColumns(Array.from(text).toReversed(), columns - 1)
    .toReversed()
    .join('')}`
}

function takeColumns(characters: readonly string[], columns: number): readonly string[] {
  let width = 0
  const end = characters.findIndex((character) => {
    width += widthOf(character)
    return width > columns
  })
  return end === -1 ? characters : characters.slice(0, end)
}
