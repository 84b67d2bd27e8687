/** Who speaks to a coordinator. */
export interface MemberIdentity {
  /** Empty for one that is no member (yet), or no longer. */
  readonly memberId: string
  /** -1 outside of any. */
  readonly generation: number
}

/** Commits of a consumer that assigns its own partitions: the group has no members then. */
export const outsider: MemberIdentity = { memberId: '', generation: -1 }
