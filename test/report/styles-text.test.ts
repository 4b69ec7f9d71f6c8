import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderHeapy, renderPympler } from '../../src/report/styles-text.ts'
import { makeCensus, typeRow } from '../analyse/make-dump.ts'

const census = makeCensus({
  objects: 35_144,
  bytes: 4_140_404,
  types: [typeRow('str', 9833, 907_020), typeRow('tuple', 9239, 651_760), typeRow('shop.Item', 10, 700)],
})

test('heapy prints a partition with cumulative percent', () => {
  assert.equal(
    renderHeapy(census),
    `Partition of a set of 35144 objects. Total size = 4140404 bytes.
 Index  Count   %     Size   % Cumulative  % Kind (class / dict of class)
     0   9833  28   907020  22    907020  22 str
     1   9239  26   651760  16   1558780  38 tuple
     2     10   0      700   0   1559480  38 shop.Item
`,
  )
})

test('pympler prints a summary', () => {
  assert.equal(
    renderPympler(census),
    `      types |   # objects |   total size
=========== | =========== | ============
        str |        9833 |    885.76 KB
      tuple |        9239 |    636.48 KB
  shop.Item |          10 |    700     B
`,
  )
})

test('many types are cut, and that is said', () => {
  const types = Array.from({ length: 30 }, (_, at) => typeRow(`T${at}`, 1, 1000))
  assert.match(renderHeapy({ ...census, types }), /^<10 more rows\.>$/m)
})
