/** Where dumps live, and the parts of the machine that writing them needs. */
export type StorePlace = {
  readonly dir: string
  /** The file that says which gid the group `pyheap` has. */
  readonly groupFile: string
  /** Tells which writer of an unfinished dump is still alive. */
  readonly procRoot: string
}

/** The store in `dir` on an ordinary machine. */
export const storeAt = (dir: string): StorePlace => ({ dir, groupFile: '/etc/group', procRoot: '/proc' })
