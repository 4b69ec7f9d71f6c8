import type { GraphFindings, GraphGrowth } from '../../model.ts'

/** What grew between the graphs of two dumps, by the name that retains it and by type; most first. */
export function compareGraphs(before: GraphFindings, after: GraphFindings): GraphGrowth {
  const owners = subtract(before.owners, after.owners, ({ name }) => name)
  const types = subtract(before.types, after.types, ({ type }) => type)
  return { beforeBytes: before.bytes, afterBytes: after.bytes, owners, types }
}

function subtract<Row extends { readonly retainedBytes: number }>(
  before: readonly Row[],
  after: readonly Row[],
  keyOf: (row: Row) => string,
): readonly (Row & { readonly grownBytes: number })[] {
  const earlier = new Map(before.map((row) => [keyOf(row), row.retainedBytes]))
  return after
    .map((row) => ({ ...row, grownBytes: row.retainedBytes - (earlier.get(keyOf(row)) ?? 0) }))
    .toSorted((a, b) => b.grownBytes - a.grownBytes)
}
