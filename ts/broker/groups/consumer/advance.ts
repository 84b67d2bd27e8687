import { nothingAssigned, type TopicPartitions } from './assignment.js'
import { assignors } from './assignors/assignors.js'
import type { ConsumerGroup } from './consumer-group.js'
import type { ConsumerHost } from './consumer-host.js'
import { type ConsumerMember, saysTheSame, subscribesTheSame } from './consumer-member.js'
import {
  currentRecord,
  epochRecord,
  memberRecord,
  regexRecord,
  targetEpochRecord,
  targetRecord,
} from './consumer-records.js'
import type { GroupChange } from './group-change.js'
import { reconcile } from './reconcile.js'
import { Subscriptions } from './subscriptions.js'
import { changedTargets, computeTargets, preferredAssignor } from './target-assignment.js'

/** A member that was heard of. */
export interface Heard {
  /** As the group knew it; a new one otherwise. */
  readonly before: ConsumerMember
  /** With what it says of itself now. */
  readonly said: ConsumerMember
  /** What it says that it has; null where it does not say. */
  readonly owned: readonly TopicPartitions[] | null
  /** The static member whose place it takes. */
  readonly replaced: ConsumerMember | null
}

/**
 * Takes a group one step further, with what was heard of a member: its subscription may raise the group's epoch, and so
 * may topics that came or went; a raised epoch makes new targets; and the member comes nearer to its own. Answers the
 * member as it is then, all of it in `change`. Throws INVALID_REGULAR_EXPRESSION, FENCED_MEMBER_EPOCH.
 */
export function advance(host: ConsumerHost, group: ConsumerGroup, heard: Heard, change: GroupChange): ConsumerMember {
  const { before, said, owned, replaced } = heard
  const isKnown = replaced !== null || group.members.has(said.id)
  if (!isKnown || !saysTheSame(before, said)) change.add(memberRecord(group.id, said))
  const epoch = raiseEpoch(host, group, heard, change)
  let target = group.targets.get(replaced?.id ?? said.id) ?? nothingAssigned
  let targetEpoch = group.assignmentEpoch
  if (epoch > targetEpoch) {
    targetEpoch = epoch
    target = assign(host, group, heard, epoch, change)
  }
  const isOwned = (topicId: string, partition: number) => group.ownerOf(topicId, partition) !== undefined
  const next = reconcile(said, { epoch: targetEpoch, assignment: target }, owned, isOwned)
  if (next !== said) change.add(currentRecord(group.id, next))
  return next
}

/** The group's epoch, raised where what members want or what there is of it is not what it was. */
function raiseEpoch(host: ConsumerHost, group: ConsumerGroup, heard: Heard, change: GroupChange): number {
  const { before, said } = heard
  const { changes } = host.topics
  const subscribes = !subscribesTheSame(before, said)
  if (!subscribes && group.topicsSeen === changes && group.epoch > 0) return group.epoch
  const members = membersWith(group, heard)
  const regexes = resolveRegexes(host, group, members, said, change)
  const { hash } = new Subscriptions(members, regexes.topics, host.topics)
  change.whenWritten(() => {
    group.topicsSeen = changes
  })
  if (!subscribes && !regexes.changed && hash === group.metadataHash && group.epoch > 0) return group.epoch
  const epoch = group.epoch + 1
  if (group.hasPartitionMetadata) change.add({ kind: 'partitions', group: group.id, value: null })
  change.add(epochRecord(group.id, epoch, hash))
  return epoch
}

/** The members as they will be. */
function membersWith(group: ConsumerGroup, { said, replaced }: Heard): Map<string, ConsumerMember> {
  const members = new Map(group.members)
  if (replaced !== null) members.delete(replaced.id)
  return members.set(said.id, said)
}

/** The topics of every regular expression that is in use. One that nobody uses any more is removed. */
function resolveRegexes(
  host: ConsumerHost,
  group: ConsumerGroup,
  members: ReadonlyMap<string, ConsumerMember>,
  said: ConsumerMember,
  change: GroupChange,
): { topics: ReadonlyMap<string, readonly string[]>; changed: boolean } {
  const topics = new Map<string, readonly string[]>()
  let changed = false
  for (const { regex } of members.values()) {
    if (regex === null || topics.has(regex)) continue
    const known = group.regexes.get(regex)
    const found = matching(host, group, regex, regex === said.regex)
    topics.set(regex, found)
    if (known?.length === found.length && known.every((name, i) => name === found[i])) continue
    changed = true
    change.add(regexRecord(group.id, regex, found, host.topics.changes, host.clock()))
  }
  for (const regex of group.regexes.keys()) {
    if (!topics.has(regex)) change.add({ kind: 'regex', group: group.id, regex, value: null })
  }
  return { topics, changed }
}

function matching(host: ConsumerHost, group: ConsumerGroup, regex: string, isAsked: boolean): readonly string[] {
  try {
    return host.patterns.matching(regex)
  } catch (error) {
    if (isAsked) throw error
    // Another broker took it from another member: that is not this one's fault.
    return group.regexes.get(regex) ?? []
  }
}

/** New targets for everybody; answers that of the member. */
function assign(host: ConsumerHost, group: ConsumerGroup, heard: Heard, epoch: number, change: GroupChange) {
  const { said, replaced } = heard
  const members = membersWith(group, heard)
  const before = new Map(group.targets)
  if (replaced !== null) {
    // It may be the same process as before, under the same id.
    before.delete(replaced.id)
    before.set(said.id, group.targets.get(replaced.id) ?? nothingAssigned)
  }
  const regexes = new Map(group.regexes)
  for (const record of change.records) {
    if (record.kind === 'regex' && record.value !== null) regexes.set(record.regex, record.value.topics)
  }
  const name = preferredAssignor(members.values(), host.settings.assignors)
  const subscriptions = new Subscriptions(members, regexes, host.topics)
  const targets = computeTargets(members, subscriptions, before, assignors[name])
  for (const [memberId, target] of changedTargets(targets, before)) {
    change.add(targetRecord(group.id, memberId, target))
  }
  change.add(targetEpochRecord(group.id, epoch, host.clock()))
  host.logger.info({ group: group.id, epoch, assignor: name, members: members.size }, 'the group has new targets')
  return targets.get(said.id) ?? nothingAssigned
}
