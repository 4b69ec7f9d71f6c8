import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { MESSAGE_IDS } from '../../src/report/journal-entry.ts'
import { initialState } from '../../src/report/service-state.ts'
import { createMetrics } from '../../src/service/metrics.ts'

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')

/** Every metric that the daemon tells, with the labels that its source gives it. */
async function known(): Promise<ReadonlySet<string>> {
  const state = initialState({ version: '1', targets: 0, rules: 0, startedMs: 0 })
  const { render } = createMetrics(
    () => state,
    () => 0,
  )
  const names = [...(await render()).matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = '', kind]) =>
    kind === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  )
  return new Set(names)
}

const metricsIn = (text: string): readonly string[] => [
  ...new Set(text.match(/\b(?:pyheap|process)_[a-z_]+(?=\b)/g) ?? []),
]

test('alert rules name metrics that there are, and say what to do', async () => {
  const metrics = await known()
  const { groups } = parse(read('config/prometheus/pyheap-watchd.rules.yaml')) as {
    groups: {
      rules: { alert: string; expr: string; annotations: { summary: string; description: string } }[]
    }[]
  }
  const rules = groups.flatMap((group) => group.rules)
  assert.ok(rules.length >= 6)
  for (const { alert, expr, annotations } of rules) {
    for (const name of metricsIn(expr)) assert.ok(metrics.has(name), `${alert}: ${name}`)
    assert.ok(annotations.summary && annotations.description, alert)
  }
})

test('the dashboard shows metrics that there are, each panel in a place of its own', async () => {
  const metrics = await known()
  const { panels } = JSON.parse(read('config/grafana/pyheap-watchd.json')) as {
    panels: { title: string; gridPos: { x: number; y: number }; targets: { expr: string }[] }[]
  }
  for (const { title, targets } of panels)
    for (const { expr } of targets)
      for (const name of metricsIn(expr)) assert.ok(metrics.has(name), `${title}: ${name}`)
  assert.equal(new Set(panels.map(({ gridPos }) => `${gridPos.x} ${gridPos.y}`)).size, panels.length)
})

test('the catalog explains every kind of entry', () => {
  const catalog = read('systemd/pyheap-watchd.catalog')
  for (const [kind, id] of Object.entries(MESSAGE_IDS)) assert.ok(catalog.includes(`-- ${id}\n`), kind)
})
