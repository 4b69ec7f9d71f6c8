import type { Census, Dump } from '../../model.ts'
import type { Fact } from '../dump-facts.ts'
import { formatCount, formatDuration } from '../format.ts'
import { html, nothing, type Markup } from './markup.ts'
import { shareBar } from './table.ts'

/** Facts as a list of names and texts. */
export const factList = (facts: readonly Fact[]): Markup =>
  html`<dl>
    ${facts.map(([name, text]) =>
      text === undefined
        ? nothing
        : html`<dt>${name}</dt>
            <dd>${text}</dd>`,
    )}
  </dl>`

/** How long each phase of the capture took; the service ran on in all but the pause. */
export function phaseBars({ manifest }: Dump): Markup {
  const phases = manifest.phases.slice(0, 30)
  const longest = Math.max(1, ...phases.map(({ ms }) => ms))
  if (phases.length === 0) return nothing
  const rows = phases.map(
    ({ name, ms }) =>
      html`<tr>
        <td>${name}</td>
        <td class="right">${formatDuration(ms)}</td>
        <td>${shareBar(ms / longest)}</td>
      </tr>`,
  )
  return html`<table class="phases">
    <tbody>
      ${rows}
    </tbody>
  </table>`
}

/** The interpreter: its version, its collector, what it has loaded. */
export function pythonFacts({ python, gc, objects }: Census): readonly Fact[] {
  return [
    ['Python', `${python.implementation} ${python.version}, ${python.executable}`],
    ['arguments', python.argv.join(' ')],
    ['threads', formatCount(python.threads)],
    ['objects', formatCount(objects)],
    ['modules', formatCount(python.moduleCount)],
    ['packages', python.packages.map(({ name, version }) => `${name} ${version}`).join(', ') || undefined],
    ['extensions', python.extensions.join(', ') || undefined],
    ['collector', gc.enabled ? 'enabled' : 'DISABLED: reference cycles are never freed'],
    ['collector counts', `${gc.counts.join('/')} of ${gc.thresholds.join('/')}`],
    [
      'collected',
      `${formatCount(gc.collected)}, uncollectable ${formatCount(gc.uncollectable)}, in gc.garbage ${formatCount(gc.garbage)}, frozen ${formatCount(gc.frozen)}`,
    ],
    ['tracemalloc', python.tracemalloc ? 'runs' : 'does not run'],
  ]
}
