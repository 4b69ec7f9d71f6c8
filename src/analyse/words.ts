/** `150 MiB`, `1.42 GiB`: three digits are what a person reads. */
export function sizeWords(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const magnitude = Math.abs(bytes)
  const power = magnitude < 1 ? 0 : Math.min(Math.floor(Math.log2(magnitude) / 10), units.length - 1)
  const value = magnitude / 1024 ** power
  const digits = power === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  const number = value
    .toFixed(digits)
    .replace(/\.(\d*[1-9])?0+$/, (_, kept?: string) => (kept ? `.${kept}` : ''))
  return `${bytes < 0 ? '-' : ''}${number} ${units[power]}`
}

/** The same as a change: `+1.31 GiB`, `-4 MiB`, `+0 B`. */
export const changeWords = (bytes: number): string => `${bytes < 0 ? '' : '+'}${sizeWords(bytes)}`

/** `2,104,882` */
export const countWords = (count: number): string => Math.round(count).toLocaleString('en-US')

/** `1,200 entries`, `1 entry` */
export const numberOf = (count: number, one: string, many: string): string =>
  `${countWords(count)} ${count === 1 ? one : many}`

/** `40 s`, `20 min`, `3 h 5 min`, `2 d 4 h` */
export function durationWords(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** `96 %`; a share below one percent is not nothing. */
export function shareWords(share: number): string {
  if (share > 0 && share < 0.01) return 'less than 1 %'
  return `${Math.round(share * 100)} %`
}

/** A name cut in the middle, where it says least. */
export function shortName(name: string, max = 120): string {
  if (name.length <= max) return name
  const head = Math.ceil((max - 1) / 2)
  return `${name.slice(0, head)}…${name.slice(name.length - (max - 1 - head))}`
}

/** A type as people write it: without the module that everything in a script has. */
export const typeWords = (type: string): string => shortName(type.replace(/^__main__\./, ''))
