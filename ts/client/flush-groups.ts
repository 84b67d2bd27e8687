/** The sends between two flushes. */
export interface SendGroup {
  unsettled: number
}

interface Group extends SendGroup {
  readonly waiters: (() => void)[]
}

/** Knows when everything sent before a flush is settled, at the cost of one counter per send. */
export class FlushGroups {
  /** In order of time; the last takes the new sends. */
  private readonly groups: Group[] = [{ unsettled: 0, waiters: [] }]

  /** The group a new send belongs to: raise `unsettled`, and call `settled` when it is answered. */
  get current(): SendGroup {
    return this.groups[this.groups.length - 1]
  }

  settled(group: SendGroup): void {
    group.unsettled--
    const { groups } = this
    while (groups.length > 1 && groups[0].unsettled === 0) {
      for (const resolve of groups.shift()!.waiters) resolve()
    }
  }

  /** Resolves when all sends made before this call are settled. */
  flushed(): Promise<void> {
    const { groups } = this
    if (this.current.unsettled > 0) groups.push({ unsettled: 0, waiters: [] })
    if (groups.length === 1) return Promise.resolve()
    return new Promise((resolve) => groups[groups.length - 2].waiters.push(resolve))
  }
}
