import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'
import type { Problem } from '../../src/config/problem.ts'
import { checkCron } from './cron.ts'

const problemsOf = (...texts: readonly string[]): readonly Problem[] => {
  const result = parseConfig(
    texts.map((text, index) => ({ path: `${index}.yaml`, text })),
    { checkCron },
  )
  return result.kind === 'invalid' ? result.problems : []
}

const rule = (fields: string): string => `rules:\n- { name: r, ${fields} }\n`
const growth = (fields: string): string => rule(`when: { growth: { above: 1MiB/m, ${fields} } }`)
const targets = (...matches: readonly string[]): string =>
  `targets:\n${matches.map((match, index) => `- { name: t${index}, match: ${match} }\n`).join('')}`

// Where, and a piece of what is said there. Each of these files holds this one mistake.
const MISTAKES: readonly (readonly [name: string, text: string, where: string, what: RegExp])[] = [
  ['an unknown key', 'stor: {}', '1:1', /unknown key "stor"; did you mean "store"\?/],
  ['an unknown key like no other', 'store: { banana: 1 }', '1:10', /known here: dir, keep, reserve/],
  ['a key like one of every object', '__proto__: {}', '1:1', /unknown key "__proto__"/],
  ['a merge key', '<<: {}', '1:1', /unknown key "<<"/],
  ['a key given twice', 'log: {}\nstore: {}\nlog: {}', '3:1', /"log" is given twice, first on line 1/],
  ['a key that is no word', '? [a]\n: b', '1:3', /plain word/],
  ['a size without a unit', 'store:\n  reserve: 1500', '2:12', /1500 has no unit: write 1500MiB/],
  ['a size of nothing', 'store: { keep: { total: 0B } }', '1:25', /more than zero/],
  ['a duration without a unit', 'sampling: { interval: 1 }', '1:23', /1 has no unit: write 1s/],
  ['an interval too short', 'sampling: { interval: 1ms }', '1:23', /too small: at least 100ms/],
  ['an interval that overflows timers', 'sampling: { interval: 30d }', '1:23', /too large: at most 1h/],
  ['an age that leaves the calendar', 'store: { keep: { age: 999999999d } }', '1:23', /too large/],
  ['a share above all', 'capture: { host_reserve: 101% }', '1:26', /at most 100%/],
  ['a copy without a unit', 'capture: { max_copy: 150 }', '1:22', /150 has no unit/],
  ['a copy of nothing', 'capture: { max_copy: 0% }', '1:22', /more than zero/],
  ['a word for a boolean', 'capture: { allow_inline: sometimes }', '1:26', /must be true or false/],
  [
    'a dump asked of a trace',
    rule('when: { rss: { above: 1B } }, action: trace, capture: [stacks]'),
    '2:68',
    /capture: means nothing with action: trace/,
  ],
  [
    'frames without a trace',
    rule('when: { rss: { above: 1B } }, frames: 5'),
    '2:52',
    /frames: means nothing without action: trace/,
  ],
  [
    'frames with a unit',
    rule('when: { rss: { above: 1B } }, action: trace, frames: 5B'),
    '2:67',
    /frames|number/,
  ],
  ['too many frames', rule('when: { rss: { above: 1B } }, action: trace, frames: 51'), '2:67', /50/],
  ['an action that is none', rule('when: { rss: { above: 1B } }, action: kill'), '2:52', /capture/],
  ['a list for a map', 'store: [1]', '1:8', /must be a map of keys, not a list/],
  ['a map for a list', 'targets: {}', '1:10', /must be a list, not a map/],
  ['a text for an entry', 'rules:\n- rss', '2:3', /an entry of rules: .* not the text "rss"/],
  ['a number for a text', targets('{ user: 33 }'), '2:30', /put it in quotes/],
  ['a fraction for a count', 'limits: { per_target: { max: 1.5 } }', '1:30', /a whole number/],
  ['a count of nothing', 'limits: { per_target: { max: 0 } }', '1:30', /at least 1/],
  ['a key without a value', 'log:\n', '1:1', /is empty/],
  ['a word of no choice', 'sampling: { probe: atuo }', '1:20', /one of auto, on, off.*"auto"\?/],
  ['a boolean for off', 'baseline: false', '1:11', /must be off or a map/],
  ['a mistake inside the map of a choice', 'baseline: { after: 5 }', '1:20', /5 has no unit/],
  [
    'an address of pods that is none',
    'kubernetes: { pods_url: kubelet }',
    '1:25',
    /"kubelet" is no address of pods: write off, https:/,
  ],
  [
    'pods without TLS',
    "kubernetes: { pods_url: 'http://127.0.0.1:10255/pods' }",
    '1:25',
    /no address of pods/,
  ],
  ['opting in where nobody tells', 'kubernetes: { opt_in: true }', '1:23', /without pods_url nobody tells/],
  ['a runtime that is none', targets('{ runtime: rkt }'), '2:33', /"rkt" is no runtime: write docker, /],
  ['labels of nothing', targets('{ labels: {} }'), '2:32', /at least one label/],
  ['a label that is a number', targets('{ labels: { app: 7 } }'), '2:39', /put it in quotes/],
  [
    'a target behind one with fewer labels',
    targets("{ labels: { app: 'a*' } }", "{ namespace: shop, labels: { app: 'a*', tier: web } }"),
    '3:22',
    /can never match/,
  ],
  [
    'a rule with a name of those that annotations make',
    'rules:\n- { name: pod-rss, when: { rss: { above: 1B } } }',
    '2:11',
    /and not manual or baseline or pod-rss or pod-limit or pod-growth/,
  ],
  ['a relative path', 'store: { dir: dumps }', '1:15', /no absolute path/],
  ['no target at all', 'targets: []', '1:10', /must not be empty/],
  ['a target without a match', 'targets: [{ name: a }]', '1:11', /match: is missing/],
  ['an empty match', targets('{}'), '2:22', /at least one of cmdline/],
  ['an expression that is none', targets("{ cmdline: '(' }"), '2:33', /no regular expression/],
  ['a target that an equal one hides', targets('{ user: a }', '{ user: a, exe: b }'), '3:22', /never match/],
  ['a second target for everything', targets('{ cmdline: . }', "{ cmdline: '.*' }"), '3:22', /never match/],
  ['a target name for a path', 'targets: [{ name: ../x, match: { user: a } }]', '1:19', /cannot be a name/],
  ['a reserved target name', 'targets: [{ name: manual, match: { user: a } }]', '1:19', /not manual/],
  [
    'a rule name of a half-written dump',
    'rules: [{ name: a.partial, when: { rss: { above: 1B } } }]',
    '1:17',
    /partial/,
  ],
  ['a rule without a condition', rule('for: 1s'), '2:3', /when: is missing/],
  ['a rule with an empty condition', rule('when: {}'), '2:20', /exactly one of/],
  [
    'a rule with two conditions',
    rule('when: { rss: { above: 1B }, limit: { above: 1% } }'),
    '2:20',
    /exactly one/,
  ],
  ['a rule with an unknown condition', rule('when: { rs: {} }'), '2:22', /did you mean "rss"/],
  [
    'a rule for a target that is not there',
    rule('targets: [pythn], when: { rss: { above: 1B } }'),
    '2:24',
    /no target named "pythn"; did you mean "python"\?/,
  ],
  ['a rule for no target', rule('targets: [], when: { rss: { above: 1B } }'), '2:23', /must not be empty/],
  ['a limit that kills before it fires', rule('when: { limit: { above: 100% } }'), '2:38', /never fire/],
  [
    'a clear value beyond the threshold',
    rule('when: { rss: { above: 1B, clear_below: 2B } }'),
    '2:53',
    /not be more/,
  ],
  [
    'a clear time below the threshold',
    rule('when: { time_to_limit: { below: 2m, clear_above: 1m } }'),
    '2:63',
    /not be less/,
  ],
  ['a window of too few samples', growth('window: 2s'), '2:55', /at least 3s, 3 times sampling\.interval/],
  ['a window longer than the history', growth('window: 31m'), '2:55', /history keeps only 30m/],
  [
    'a wait longer than the history',
    rule('for: 31m, when: { growth: { above: 1MiB/m } }'),
    '2:19',
    /history keeps only 30m/,
  ],
  [
    'a history too short for the default rules',
    'sampling: { history: 5m }',
    '1:11',
    /default rules do not fit: window/,
  ],
  [
    'a cron expression that is none',
    rule('when: { schedule: { cron: daily } }'),
    '2:40',
    /it needs five fields/,
  ],
  [
    'an unknown time zone',
    rule("when: { schedule: { cron: '* * * * *', timezone: Mars/Base } }"),
    '2:63',
    /no time zone/,
  ],
  [
    'a schedule that waits',
    rule("for: 1s, when: { schedule: { cron: '* * * * *' } }"),
    '2:19',
    /means nothing/,
  ],
  ['a gdb longer than its capture', 'capture: { timeout: 5s }', '1:10', /gdb_timeout/],
  ['YAML that is none', 'a: "x', '1:6', /not valid YAML/],
  ['a tab', 'store:\n\tdir: /a', '2:1', /tab/],
  ['a bare star', 'rules: [*]', '1:9', /needs quotes/],
  ['a star word', 'rules: *all', '1:8', /no anchor &all/],
  ['an unknown tag', 'store: !!binary aGk=', '1:8', /tag/],
  ['two documents', 'log: {}\n---\nlog: {}', '2:1', /one YAML document/],
  ['a list as the file', '- a', '1:1', /map of keys/],
  ['a text as the file', 'hello', '1:1', /map of keys/],
]

for (const [name, text, where, what] of MISTAKES) {
  test(`${name} is a problem at its place`, () => {
    const problems = problemsOf(text)
    assert.deepEqual(
      problems.map(({ path, line, column }) => `${path}:${line}:${column}`),
      [`0.yaml:${where}`],
      JSON.stringify(problems),
    )
    assert.match(problems[0]?.message ?? '', what)
    assert.equal(problems[0]?.sourceLine, text.split('\n')[(problems[0]?.line ?? 0) - 1]?.trimEnd())
  })
}

test('every mistake is told at once, in the order of the lines', () => {
  const problems = problemsOf(
    'store: { keep: { total: 10, agee: 3d } }\nsampling: { probe: maybe }\nlog: {}\nlog: {}\n' +
      'targets: [{ name: a, match: { cmdline: "[" } }]\nrules:\n- { name: r, targets: [b], when: { rss: {} } }\n' +
      '- { name: r, when: { limit: { above: 200% } } }\n',
  )
  assert.deepEqual(
    problems.map(({ line, column }) => `${line}:${column}`),
    ['1:25', '1:29', '2:20', '4:1', '5:40', '7:24', '7:41', '8:11', '8:38'],
  )
})

test('a mistake is told in the file that it stands in', () => {
  const problems = problemsOf(
    'log: { level: loud }\nrules: [{ name: r, when: { rss: { above: 1 } } }]',
    'store: { keep: { age: 5 } }\nrules: [{ name: r, when: { rss: { above: 2 } } }, { name: q, targets: [x], when: { rss: { above: 1B } } }]',
    'store: { keep: { total: 5 } }',
  )
  assert.deepEqual(
    problems.map(({ path, line, column }) => `${path}:${line}:${column}`),
    ['0.yaml:1:15', '1.yaml:1:23', '1.yaml:2:42', '1.yaml:2:72', '2.yaml:1:25'],
  )
})

test('a name that a drop-in gives twice is a problem, one that it replaces is not', () => {
  const one = '{ name: a, match: { user: a } }'
  assert.deepEqual(problemsOf(`targets: [${one}]`, `targets: [${one}]`), [])
  const problems = problemsOf(`targets: [${one}]`, `targets: [${one}, ${one}]`)
  assert.deepEqual(
    problems.map(({ path, column }) => [path, column]),
    [['1.yaml', 52]],
  )
})

test('a file that cannot be read hides nothing but what depends on it', () => {
  const problems = problemsOf('a: "x', 'rules: [*]')
  assert.deepEqual(
    problems.map(({ path }) => path),
    ['0.yaml', '1.yaml'],
  )
})
