import type { ConsumerGroup } from './consumer-group.js'
import type { ConsumerHost } from './consumer-host.js'
import type { ConsumerMember } from './consumer-member.js'
import { MemberTimers } from './member-timers.js'

/** After a heartbeat: the next, and where the member has to give up partitions, that it does. */
export function expectHeartbeat(
  host: ConsumerHost,
  group: ConsumerGroup,
  before: ConsumerMember,
  member: ConsumerMember,
): void {
  const timers = timersOf(host, group, member.id)
  timers.expect('session', host.settings.sessionTimeoutMs(group.id))
  if (member.state !== 'unrevoked') timers.came('revocation')
  else if (member.revoking !== before.revoking) timers.expect('revocation', member.rebalanceTimeoutMs)
}

/** After loading: every member has a session to be heard of, and as long as it asked for to give up partitions. */
export function expectAll(host: ConsumerHost, group: ConsumerGroup): void {
  for (const { id, classic, state, rebalanceTimeoutMs } of group.members.values()) {
    const timers = timersOf(host, group, id)
    timers.expect('session', classic?.sessionTimeoutMs ?? host.settings.sessionTimeoutMs(group.id))
    if (classic === null && state === 'unrevoked') timers.expect('revocation', rebalanceTimeoutMs)
  }
}

export function timersOf(host: ConsumerHost, group: ConsumerGroup, memberId: string): MemberTimers {
  let timers = group.timers.get(memberId)
  if (timers === undefined) {
    timers = new MemberTimers(host.timers, (expected) => host.expired(group, memberId, expected))
    group.timers.set(memberId, timers)
  }
  return timers
}
