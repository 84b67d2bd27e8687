import type { Assignor } from './assignor.js'
import { stickyAssignment } from './sticky-assignment.js'
import { readStickyUserData, writeStickyUserData } from './sticky-user-data.js'

/**
 * As even as the members' wishes permit, and as much as possible where it was. Members still give up everything while
 * the group rebalances, so what stays is what they know, not their work.
 */
export const sticky: Assignor = {
  name: 'sticky',
  isCooperative: false,
  userData: writeStickyUserData,
  // The subscription's own fields say nothing: the members have given up all they owned.
  claimOf: (subscribed, userData) => (userData === null ? null : readStickyUserData(userData)) ?? subscribed,
  assign: stickyAssignment,
}
