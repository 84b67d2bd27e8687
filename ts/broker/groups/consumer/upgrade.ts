import { protocolError } from '../../../protocol/errors.js'
import { consumerProtocolType, type Group } from '../group.js'
import { groupTombstone } from '../group-records.js'
import type { Member } from '../member.js'
import { applyRecord } from './apply-record.js'
import { type Assignment, hold } from './assignment.js'
import { ConsumerGroup } from './consumer-group.js'
import type { ConsumerHost } from './consumer-host.js'
import { type ConsumerMember, newConsumerMember } from './consumer-member.js'
import { currentRecord, epochRecord, memberRecord, targetEpochRecord, targetRecord } from './consumer-records.js'
import { readAssignment, readSubscription } from './embedded-protocol.js'
import { expectAll } from './expect.js'
import type { GroupChange } from './group-change.js'

/**
 * The consumer group that a classic one is from now on, which somebody of the consumer protocol joins: its generation is
 * its epoch, its members have what the leader gave them, and go on speaking the classic protocol. One without members
 * just ends. Throws GROUP_ID_NOT_FOUND where the group may not change, or has members who are no consumers.
 */
export function upgrade(host: ConsumerHost, classic: Group, change: GroupChange): ConsumerGroup {
  const group = new ConsumerGroup(classic.id, classic.offsets)
  if (classic.stored) change.classicBefore.push(groupTombstone(classic.id))
  if (classic.isEmpty) return group
  checkUpgrade(host, classic)
  const members = membersOf(host, classic)
  const now = host.clock()
  change.add(...members.map(({ member }) => memberRecord(group.id, member)))
  // The hash is found to be another, as the one who joins raises the epoch in any case.
  change.add(epochRecord(group.id, classic.generation, 0n))
  change.add(...members.map(({ member, target }) => targetRecord(group.id, member.id, target)))
  change.add(targetEpochRecord(group.id, classic.generation, now))
  change.add(...members.map(({ member }) => currentRecord(group.id, member)))
  // Nobody else sees the group until all is written.
  for (const record of change.records) applyRecord(group, record)
  change.whenWritten(() => expectAll(host, group))
  host.logger.info({ group: group.id, members: members.length }, 'a classic group becomes a consumer group')
  return group
}

function checkUpgrade({ settings }: ConsumerHost, classic: Group): void {
  const refused = (why: string) =>
    protocolError('GROUP_ID_NOT_FOUND', `group ${classic.id} is no consumer group: ${why}`)
  if (!settings.upgrades) throw refused('group.consumer.migration.policy lets no classic group become one')
  if (classic.protocolType !== consumerProtocolType) throw refused(`its members are ${classic.protocolType}`)
  if (classic.members.size > settings.maxSize) throw refused(`it has more than ${settings.maxSize} members`)
}

function membersOf(host: ConsumerHost, classic: Group): { member: ConsumerMember; target: Assignment }[] {
  const protocol = classic.protocolName ?? classic.selectProtocol()
  try {
    return Array.from(classic.members.values(), (member) => memberOf(host, classic, member, protocol))
  } catch (cause) {
    const message = `group ${classic.id} is no consumer group: what its members joined with cannot be read`
    throw protocolError('GROUP_ID_NOT_FOUND', message, { cause })
  }
}

function memberOf(host: ConsumerHost, { generation }: Group, member: Member, protocol: string | null) {
  const { topics, rackId } = readSubscription(member.metadata(protocol))
  const target = readAssignment(member.assignment, host.topics)
  const assigned = new Map<string, Map<number, number>>()
  for (const [topicId, partitions] of target)
    for (const partition of partitions) hold(assigned, topicId, partition, generation)
  const { sessionTimeoutMs, protocols } = member
  const made: ConsumerMember = {
    ...newConsumerMember(member.id),
    instanceId: member.instanceId,
    rackId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    topics: [...new Set(topics)].sort(),
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    classic: { sessionTimeoutMs, protocols },
    epoch: generation,
    previousEpoch: generation,
    assigned,
  }
  return { member: made, target }
}
