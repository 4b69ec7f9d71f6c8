import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageReader, encodeRequest } from '../../src/capture/console-messages.ts'

const read = (bytes: Buffer | string, pieceBytes = Infinity): string => {
  const reader = new MessageReader()
  const all = Buffer.from(bytes)
  const found: string[] = []
  for (let at = 0; at < all.length; at += pieceBytes)
    for (const { kind, text } of reader.push(all.subarray(at, at + pieceBytes))) found.push(`${kind}:${text}`)
  return found.join('|')
}

test('messages are found whatever pieces they come in', () => {
  const bytes = '\x1eout 5\nab\ncd\x1edone 8\nfinished\x1eerr 0\n'
  assert.equal(read(bytes), 'out:ab\ncd|done:finished|err:')
  for (const size of [1, 2, 3, 7]) assert.equal(read(bytes, size), 'out:ab\ncd|done:finished|err:')
})

test('what lies between messages is output, characters that come in two pieces included', () => {
  assert.equal(read('raw\n\x1edone 2\nokmore'), 'out:raw\n|done:ok|out:more')
  assert.equal(read(Buffer.from('é'), 1), 'out:é')
})

test('what only looks like a message is output', () => {
  for (const text of ['\x1enope 3\nabc', '\x1eout x\n', '\x1eout 99999999\n', '\x1eout 2000000\n'])
    assert.equal(read(`${text}\x1edone 1\n!`).replaceAll('|out:', ''), `out:${text}|done:!`)
})

test('a length that lies makes output of what follows, and the reader goes on', () => {
  assert.equal(read('\x1eout 4\na\x1eb\n\x1edone 1\n!'), 'out:a\x1eb\n|done:!')
})

test('a request says how long it is', () => {
  assert.equal(encodeRequest('exec', Buffer.from('a\0é')).toString('latin1'), 'exec 4\na\0Ã©')
})
