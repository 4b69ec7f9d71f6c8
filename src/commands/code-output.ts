import type { OnOutput } from '../capture/console.ts'

/** What moves the cursor, colours, hides or turns letters round; lines and tabs stay. */
const STEERING = /[^\p{L}\p{M}\p{N}\p{P}\p{S} \n\t]/gu

/** What code in a service's snapshot writes: as it is into a file or pipe, made harmless on a terminal. */
export const showOutput: OnOutput = (stream, text) => {
  const to = stream === 'out' ? process.stdout : process.stderr
  to.write(to.isTTY ? spellOut(text) : text)
}

/** Text with everything spelled out that steers a terminal. */
export const spellOut = (text: string): string =>
  text.replace(STEERING, (found) => {
    const code = found.codePointAt(0) ?? 0
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
