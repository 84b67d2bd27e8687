/** Where a member stands; each state is a step of its life, which says what comes next. */
export type MembershipState =
  /** Not in the group, and not on its way. */
  | 'out'
  /** JoinGroup: waits for the next generation. */
  | 'joining'
  /** SyncGroup: waits for its assignment; the leader makes everybody's. */
  | 'syncing'
  /** Takes up its assignment: gives up what is no longer its own, looks up where to begin with the rest. */
  | 'receiving'
  /** Reads, until the group rebalances. */
  | 'stable'
  /** Gives up its partitions before it joins again, unless the members cooperate. */
  | 'yielding'
  /** The group went on without it: what it had is void. */
  | 'losing'
  /** An error that trying again would not mend. */
  | 'failing'
  /** Gives up its partitions for good and says goodbye. */
  | 'leaving'

const next: Readonly<Record<MembershipState, readonly MembershipState[]>> = {
  out: ['joining'],
  joining: ['joining', 'syncing', 'losing', 'failing', 'leaving'],
  syncing: ['receiving', 'joining', 'losing', 'failing', 'leaving'],
  receiving: ['stable', 'losing', 'failing', 'leaving'],
  stable: ['yielding', 'losing', 'failing', 'leaving'],
  yielding: ['joining', 'losing', 'failing', 'leaving'],
  losing: ['joining', 'failing', 'leaving'],
  failing: ['out', 'leaving'],
  leaving: ['out'],
}

/** TypeError if a member cannot go from one to the other. */
export function checkTransition(from: MembershipState, to: MembershipState): void {
  if (!next[from].includes(to)) throw new TypeError(`a member cannot go from ${from} to ${to}`)
}
