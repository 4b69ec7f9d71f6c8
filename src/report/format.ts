/** `1.4 GiB`, `150 MiB`: three digits are what a person reads. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const magnitude = Math.abs(bytes)
  const power = magnitude < 1 ? 0 : Math.min(Math.floor(Math.log2(magnitude) / 10), units.length - 1)
  const value = magnitude / 1024 ** power
  const digits = power === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  const number = String(Number(value.toFixed(digits)))
  return `${bytes < 0 ? '-' : ''}${number} ${units[power]}`
}

/** `2,104,882` */
export const formatCount = (count: number): string => Math.round(count).toLocaleString('en-US')

/** The same with a sign, for changes; no change is a plain zero. */
export const formatChange = (value: number, format: (value: number) => string): string =>
  `${value > 0 ? '+' : ''}${format(value)}`

/** `31 ms`, `4.2 s`, `20 min`, `3 h 5 min`, `2 d 4 h` */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Number(ms.toFixed(ms < 10 ? 1 : 0))} ms`
  const seconds = ms / 1000
  if (seconds < 120) return `${Number(seconds.toFixed(seconds < 10 ? 1 : 0))} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** `96 %`; a share below one percent is not nothing. */
export function formatShare(share: number): string {
  if (share > 0 && share < 0.01) return '<1 %'
  return `${Math.round(share * 100)} %`
}
