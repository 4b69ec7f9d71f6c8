/** True when the whole text is what the pattern says: `*` is any text, `?` any one character, all else itself. */
export const matchesGlob = (pattern: string, text: string): boolean => {
  let [p, t] = [0, 0]
  let star = -1
  let retryAt = 0
  // Only the last star is ever tried again, so a hostile text costs its length times the pattern's at most.
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++
      retryAt = t
    } else if (pattern[p] === '?' || (p < pattern.length && pattern[p] === text[t])) {
      p++
      t++
    } else if (star >= 0) {
      p = star + 1
      t = ++retryAt
    } else {
      return false
    }
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}
