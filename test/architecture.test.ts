import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'

const src = new URL('../src/', import.meta.url)

/** Who may import what. Folders of src, files of src, packages; `node:*` where files or processes are touched. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  observe: ['model.ts', 'host-name.ts', 'proc/', 'node:', 'systeminformation', 'node-cron', 'zod'],
  decide: ['model.ts', 'zod'],
  capture: ['model.ts', 'proc/', 'census-schema.ts', 'node:', 'execa', 'zod'],
  store: ['model.ts', 'proc/', 'census-schema.ts', 'graph-schema.ts', 'node:', 'zod', 'tar'],
  analyse: ['model.ts', 'node:crypto'],
  report: ['model.ts', 'd3-hierarchy', 'pprof-format'],
  config: ['model.ts', 'host-name.ts', 'node:', 'yaml', 'zod', 'picocolors'],
  // Dumps in object storage.
  bucket: ['model.ts', 'node:', 's3mini'],
  model: ['model.ts'],
  proc: ['model.ts'],
  stub: ['node:', 'execa'],
  // What the daemon is to the machine around it: the service manager, hooks, metrics, its socket.
  service: ['model.ts', 'proc/', 'report/', 'node:', 'zod', 'prom-client'],
}

/** What wires the stages together: the operator's commands and the daemon. */
const WIRES: ReadonlySet<string> = new Set(['commands', 'daemon'])

/** Packages that have one home in a stage. */
const HOMES: Readonly<Record<string, RegExp>> = {
  systeminformation: /^observe\/host\.ts$/,
  'node-cron': /^observe\/schedule\.ts$/,
  yaml: /^config\//,
  execa: /^(capture|stub)\//,
  tar: /^store\/archive\//,
  'd3-hierarchy': /^report\/html\/treemap\.ts$/,
  'pprof-format': /^report\/export\/pprof\.ts$/,
  'prom-client': /^service\//,
  s3mini: /^bucket\//,
  pino: /^log\.ts$/,
  'pino-pretty': /^log\.ts$/,
  commander: /^(pyheapctl|pyheap-watchd)\.ts$|^commands\//,
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))

const importsOf = (file: string): string[] =>
  [...readFileSync(new URL(file, src), 'utf8').matchAll(/^(?:import|export)[^'"]*?from '([^']+)'/gms)].map(
    ([, specifier = '']) =>
      specifier.startsWith('.')
        ? new URL(specifier, new URL(file, src)).href.slice(src.href.length)
        : specifier,
  )

test('stages import the model and what their work needs, and never each other', () => {
  for (const file of files) {
    const folder = file.split('/')[0] ?? ''
    const allowed = ALLOWED[folder]
    if (!file.includes('/') || allowed === undefined) continue
    for (const imported of importsOf(file)) {
      const isOwn = imported.startsWith(`${folder}/`)
      assert.ok(isOwn || allowed.some((start) => imported.startsWith(start)), `${file} imports ${imported}`)
    }
  }
})

test('every folder of src has its place in the import table', () => {
  const folders = new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0] ?? ''))
  assert.deepEqual(
    [...folders].filter((folder) => !WIRES.has(folder)).toSorted(),
    Object.keys(ALLOWED).toSorted(),
  )
})

test('a package that touches the world has one home', () => {
  for (const file of files)
    for (const imported of importsOf(file)) {
      const home = HOMES[imported]
      assert.ok(home === undefined || home.test(file), `${file} imports ${imported}`)
    }
})

test('no file is called utils, helpers or common', () => {
  assert.deepEqual(
    files.filter((file) => /(^|\/)(utils?|helpers?|common|index|misc)\.ts$/.test(file)),
    [],
  )
})
