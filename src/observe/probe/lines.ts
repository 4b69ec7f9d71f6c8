import type { Readable } from 'node:stream'

/** Calls back with every line of a stream; a line without an end is dropped when it grows out of bounds. */
export function onLines(stream: Readable, take: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_LINE) rest = ''
    for (const line of lines) take(line)
  })
}

const MAX_LINE = 65_536
