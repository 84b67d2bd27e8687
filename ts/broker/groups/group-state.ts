/**
 * Where a group of the classic protocol stands, by Kafka's names.
 *
 * Empty: no members; it may hold offsets. PreparingRebalance: joins are parked until every member has come. Completing-
 * Rebalance: members have their generation and wait for what the leader assigns. Stable: assigned. Dead: removed.
 */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/** Where a group may go from each state. */
export const transitions: Readonly<Record<GroupState, readonly GroupState[]>> = {
  Empty: ['PreparingRebalance', 'Dead'],
  PreparingRebalance: ['CompletingRebalance', 'Empty', 'Dead'],
  CompletingRebalance: ['Stable', 'PreparingRebalance', 'Dead'],
  Stable: ['PreparingRebalance', 'Dead'],
  Dead: [],
}

/** Throws TypeError for a step the table does not have: a fault of the coordinator, not of a client. */
export function checkTransition(group: string, from: GroupState, to: GroupState): void {
  if (!transitions[from].includes(to)) throw new TypeError(`group ${group} cannot go from ${from} to ${to}`)
}
