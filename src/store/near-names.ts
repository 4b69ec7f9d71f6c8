/** The names, at most `max`, that somebody who typed `wanted` probably meant; the nearest first. */
export function findNearNames(wanted: string, names: readonly string[], max: number): readonly string[] {
  const typed = wanted.slice(0, 200).toLowerCase()
  return names
    .slice(0, 5000)
    .map((name) => ({ name, distance: distanceOf(typed, name.slice(0, 200).toLowerCase()) }))
    .filter(({ distance }) => distance < typed.length && distance <= Math.max(2, typed.length / 3))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, max)
    .map(({ name }) => name)
}

// Levenshtein: one row of the table at a time.
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
