/** Where a member of the consumer protocol stands; each state is a step of its life, which says what comes next. */
export type MemberState =
  /** Not in the group, and not on its way. */
  | 'out'
  /** Its first heartbeat: waits to be let in. */
  | 'joining'
  /** Is heard of, and takes up what it is told to have. */
  | 'member'
  /** The group went on without it: what it had is void. */
  | 'losing'
  /** An error that trying again would not mend. */
  | 'failing'
  /** Gives up its partitions for good and says goodbye. */
  | 'leaving'

const next: Readonly<Record<MemberState, readonly MemberState[]>> = {
  out: ['joining'],
  joining: ['joining', 'member', 'failing', 'leaving'],
  member: ['losing', 'failing', 'leaving'],
  losing: ['joining', 'failing', 'leaving'],
  failing: ['out', 'leaving'],
  leaving: ['out'],
}

/** TypeError if a member cannot go from one to the other. */
export function checkTransition(from: MemberState, to: MemberState): void {
  if (!next[from].includes(to)) throw new TypeError(`a member cannot go from ${from} to ${to}`)
}
