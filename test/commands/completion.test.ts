import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { execa, execaSync } from 'execa'
import { renderCompletion, SHELLS } from '../../src/commands/completion.ts'
import { renderManPage } from '../../src/commands/man-page.ts'
import { createProgram } from '../../src/commands/program.ts'
import { openTerminal } from '../../src/commands/terminal.ts'
import { pyheapctl } from '../setup/run-tool.ts'

const program = createProgram(openTerminal({}))
const scratch = mkdtempSync(join(tmpdir(), 'pyheap-completion-'))
after(() => rmSync(scratch, { recursive: true }))

const ctl = new URL('../../dist/pyheapctl.js', import.meta.url).pathname

/** What bash would offer after these words, of which the last is being typed. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const script = `${renderCompletion(program, 'bash')}
pyheapctl() { '${process.execPath}' '${ctl}' "$@" --store '${scratch}'; }
COMP_WORDS=("$@")
COMP_CWORD=$(( $# - 1 ))
_pyheapctl
printf '%s\\n' "\${COMPREPLY[@]}"
`
  const { stdout } = await execa('bash', ['-c', script, 'bash', ...words])
  return stdout.split('\n').filter(Boolean)
}

test('bash completes commands, options, dumps and files', async () => {
  mkdirSync(join(scratch, 'api', '20261130T100000Z-42-rss-high'), { recursive: true })
  mkdirSync(join(scratch, '$(touch hacked)', '20261130T100000Z-42-rss-high'), { recursive: true })
  assert.deepEqual(await offered('pyheapctl', 'ex'), ['explain', 'export', 'exec'])
  assert.deepEqual(await offered('pyheapctl', 'graph', '--ag'), ['--against'])
  assert.deepEqual(await offered('pyheapctl', 'show', ''), ['latest', 'api/20261130T100000Z-42-rss-high'])
  assert.ok((await offered('pyheapctl', 'export', '--output', '/etc/passw')).includes('/etc/passwd'))
  assert.ok((await offered('pyheapctl', 'capture', '--')).includes('--with'))
})

test('the script of every shell has every command, and no hidden one', async () => {
  for (const shell of SHELLS) {
    const { code, out } = await pyheapctl('completion', shell)
    assert.equal(code, 0)
    for (const name of program.commands.map((each) => each.name()).filter((each) => !each.startsWith('__')))
      assert.ok(out.includes(name), `${shell}: ${name}`)
  }
  assert.equal((await pyheapctl('completion', 'tcsh')).code, 2)
})

test('the manual has every command and option, and nothing that roff would take for its own', () => {
  const page = renderManPage(program, '1.2.3')
  assert.match(page, /^\.TH PYHEAPCTL 1 "" "pyheap-watchd 1\.2\.3"/)
  for (const command of program.commands.filter((each) => !each.name().startsWith('__'))) {
    assert.ok(page.includes(`.SS ${command.name()} `), command.name())
    for (const { long } of command.options)
      assert.ok(page.includes(String(long).replaceAll('-', String.raw`\-`)), `${command.name()} ${long}`)
  }
  const known = new Set(['B', 'BR', 'I', 'PP', 'SH', 'SS', 'TH', 'TP', 'fi', 'nf'])
  for (const [, name = ''] of page.matchAll(/^\.(\S+)/gm)) assert.ok(known.has(name), name)
})

const groff = execaSync('groff', ['--version'], { reject: false }).exitCode === 0
test(
  'groff has nothing to say about the manuals',
  { skip: groff ? false : ': optional: needs groff' },
  () => {
    const written = readFileSync(new URL('../../systemd/pyheap-watchd.8', import.meta.url), 'utf8')
    for (const page of [renderManPage(program, '1.2.3'), written]) {
      const { stderr } = execaSync('groff', ['-man', '-Kutf8', '-Tutf8', '-ww', '-z'], { input: page })
      assert.equal(stderr, '')
    }
  },
)
