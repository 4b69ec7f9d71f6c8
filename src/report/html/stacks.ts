import type { ThreadStack } from '../../model.ts'
import { formatCount } from '../format.ts'
import { html, nothing, type Markup } from './markup.ts'

const maxThreads = 100
const maxFrames = 60

/** What every thread was doing, the main one unfolded. */
export function stacksOf(stacks: readonly ThreadStack[]): Markup {
  if (stacks.length === 0) return nothing
  const others =
    stacks.length > maxThreads
      ? html`<p class="note">and ${formatCount(stacks.length - maxThreads)} more threads</p>`
      : nothing
  return html`${stacks.slice(0, maxThreads).map(stackOf)}${others}`
}

function stackOf({ name, frames, isMain }: ThreadStack): Markup {
  const calls = frames
    .slice(0, maxFrames)
    .map(
      (frame) =>
        html`<li><b>${frame.function}</b> <span class="note">${frame.file}:${frame.line}</span></li>`,
    )
  const open = isMain ? html` open` : nothing
  const innermost = frames[0]
  const at = innermost === undefined ? '' : ` — ${innermost.function}`
  return html`<details${open}><summary>${name}${isMain ? ' (main)' : ''}<span class="note">${at}</span></summary><ol class="frames">${calls}</ol></details>`
}
