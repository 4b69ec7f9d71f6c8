import { execFile } from 'node:child_process'

/** Asks systemd to restart a service, and does not wait for it; answers why it would not. */
export const restartUnit = (unit: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    if (!/^[\w:.@\\-]+\.service$/.test(unit)) return resolve(`${unit} is no service`)
    execFile('systemctl', ['restart', '--no-block', '--', unit], { timeout: 30_000 }, (error, _out, said) =>
      resolve(error === null ? undefined : said.trim() || error.message),
    )
  })
