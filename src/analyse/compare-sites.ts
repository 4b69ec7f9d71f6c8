import type { AllocationSite, Allocations, SiteGrowth } from '../model.ts'

/** Allocation sites by growth where the baseline has some too, else by size. A site is its first frame. */
export function compareSites(
  now: Allocations | undefined,
  baseline: Allocations | undefined,
): readonly SiteGrowth[] | undefined {
  if (now === undefined) return undefined
  if (baseline === undefined) return now.sites.toSorted((a, b) => b.bytes - a.bytes)
  const then = new Map(baseline.sites.map((site) => [siteKey(site), site]))
  return now.sites
    .map((site): SiteGrowth => {
      // A site that the baseline does not list was at most as large as the smallest that it lists.
      const before = then.get(siteKey(site))
      return {
        ...site,
        grownBytes: site.bytes - (before?.bytes ?? 0),
        grownCount: site.count - (before?.count ?? 0),
      }
    })
    .toSorted((a, b) => (b.grownBytes ?? 0) - (a.grownBytes ?? 0))
}

const siteKey = ({ frames: [first] }: AllocationSite): string =>
  first === undefined ? '' : `${first.file}:${first.line}`
