/** `1min 30s` as systemd prints it, in milliseconds; undefined for `infinity`. */
export function parseSystemdTime(text: string): number | undefined {
  if (text === 'infinity') return undefined
  const units: Readonly<Record<string, number>> = {
    d: 86_400_000,
    h: 3_600_000,
    min: 60_000,
    s: 1000,
    ms: 1,
    us: 0.001,
  }
  return [...text.matchAll(/([\d.]+)(min|ms|us|d|h|s)/g)].reduce(
    (sum, [, amount, unit = '']) => sum + Number(amount) * (units[unit] ?? 0),
    0,
  )
}
