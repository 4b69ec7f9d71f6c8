import { execa } from 'execa'

const root = new URL('../../', import.meta.url).pathname

export type ToolResult = { readonly code: number | undefined; readonly out: string; readonly err: string }

/** Runs the built pyheapctl, as its user would. */
export const pyheapctl = (...args: readonly string[]): Promise<ToolResult> => runTool('pyheapctl', args)

/** Runs a built program to its end. */
export async function runTool(
  name: 'pyheapctl' | 'pyheap-watchd',
  args: readonly string[],
  options: { readonly uid?: number; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<ToolResult> {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [`${root}dist/${name}.js`, ...args], {
    reject: false,
    timeout: 120_000,
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    env: { NO_COLOR: '1', ...options.env },
  })
  return { code: exitCode, out: stdout, err: stderr }
}
