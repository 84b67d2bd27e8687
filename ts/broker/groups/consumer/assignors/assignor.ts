import type { Assignment } from '../assignment.js'

/** What an assignor knows of a member. */
export interface AssignorMember {
  readonly id: string
  readonly instanceId: string | null
  /** The ids of the topics it wants, all of which exist. */
  readonly topicIds: ReadonlySet<string>
  /** What it was to have until now. */
  readonly target: Assignment
}

export interface AssignorGroup {
  readonly members: readonly AssignorMember[]
  /** Partition counts of all topics that somebody wants. */
  readonly partitionCounts: ReadonlyMap<string, number>
}

/**
 * Says what each member is to have: every partition of every topic that somebody wants, each by one member that wants its
 * topic. The same group gets the same answer.
 */
export type Assignor = (group: AssignorGroup) => ReadonlyMap<string, Assignment>
