/** What a drop-in for a guarded unit is called. */
export const GUARD_FILE = '50-pyheap-guard.conf'

/** Where the drop-in of a unit lies. */
export const guardPath = (unit: string): string => `/etc/systemd/system/${unit}.d/${GUARD_FILE}`

/**
 * The commands that a unit runs on stop, in order, from what `systemctl cat` prints: those of our own drop-in are left
 * out, an empty assignment takes back what came before it.
 */
export function stopCommands(text: string): readonly string[] {
  const commands: string[] = []
  let isOurs = false
  for (const line of text.replaceAll(/\s*\\\n\s*/g, ' ').split('\n')) {
    const file = /^# (\/\S+)$/.exec(line)?.[1]
    if (file !== undefined) isOurs = file.endsWith(`/${GUARD_FILE}`)
    const command = /^\s*ExecStop\s*=\s*(.*)$/.exec(line)?.[1]
    if (command === undefined || isOurs) continue
    if (command === '') commands.length = 0
    else commands.push(command)
  }
  return commands
}

export type DropIn = {
  /** How pyheapctl is started. */
  readonly program: string
  readonly budgetMs: number
  /** What the unit runs on stop already. */
  readonly commands: readonly string[]
}

/**
 * A drop-in that captures before anything else when the unit is stopped or restarted. It runs as a unit of its own, for
 * in the service's cgroup it would take the memory that is short; a failure holds up nothing.
 */
export const renderGuard = ({ program, budgetMs, commands }: DropIn): string => {
  const seconds = Math.ceil(budgetMs / 1000)
  const run = [
    'systemd-run --quiet --wait --collect --property=DefaultDependencies=no',
    `--property=RuntimeMaxSec=${seconds + 2} --property=TimeoutStopSec=2`,
    `${program} guard %n --now --budget ${seconds}s`,
  ]
  return `# Written by \`pyheapctl guard\`; \`pyheapctl guard --remove\` takes it away.
[Service]
# Before what the unit does itself on stop, which is repeated below.
ExecStop=
ExecStop=-+/usr/bin/env ${run.join(' ')}
${commands.map((command) => `ExecStop=${command}\n`).join('')}`
}
