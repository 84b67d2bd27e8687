import { consumerProtocolType, type Group } from '../group.js'
import { groupRecord } from '../group-records.js'
import { newGroup, newMember, prepareRebalance } from '../rebalance.js'
import { subscribedTopics } from '../subscribed-topics.js'
import { nothingAssigned } from './assignment.js'
import type { ConsumerGroup } from './consumer-group.js'
import type { ConsumerHost } from './consumer-host.js'
import type { ConsumerMember } from './consumer-member.js'
import { writeAssignment } from './embedded-protocol.js'

/** Without those, the group is to go on by the classic protocol: nobody is left who speaks another. */
export function isToBeDowngraded(host: ConsumerHost, group: ConsumerGroup, gone: readonly ConsumerMember[]): boolean {
  const left = group.members.size - gone.length
  if (left === 0 || group.classicCount !== left || gone.some(({ classic }) => classic !== null)) return false
  return host.settings.downgrades && left <= host.classic.limits.maxSize
}

/**
 * The classic group that a consumer group becomes without some members: the rest have their targets assigned, in a
 * generation that is the epoch. `begin` makes them join again, as what the others had is to be shared.
 */
export function downgrade(
  host: ConsumerHost,
  group: ConsumerGroup,
  gone: readonly ConsumerMember[],
): { classic: Group; record: ReturnType<typeof groupRecord>; begin: () => void } {
  const classic = newGroup(host.classic, group.id)
  classic.offsets = group.offsets
  const without = new Set(gone.map(({ id }) => id))
  for (const member of group.members.values()) {
    if (without.has(member.id)) continue
    const { protocols, sessionTimeoutMs } = member.classic!
    const { id, instanceId, clientId, clientHost, rebalanceTimeoutMs } = member
    const facts = { id, instanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols }
    const made = newMember(host.classic, classic, facts)
    const target = group.targets.get(id) ?? nothingAssigned
    made.assignment = writeAssignment(target, protocols[0].metadata, host.topics)
    classic.add(made, consumerProtocolType)
  }
  classic.generation = group.epoch
  classic.protocolName = classic.selectProtocol()
  classic.subscribedTopics = subscribedTopics(classic)
  classic.restore('Stable', host.clock())
  const assignments = new Map(Array.from(classic.members.values(), ({ id, assignment }) => [id, assignment]))
  const begin = () => {
    host.logger.info({ group: group.id, members: classic.members.size }, 'a consumer group becomes a classic group')
    for (const member of classic.members.values()) member.session.set(member.sessionTimeoutMs)
    prepareRebalance(host.classic, classic, 'the last member that spoke the consumer protocol is gone')
  }
  return { classic, record: groupRecord(classic, assignments), begin }
}
