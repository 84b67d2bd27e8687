import fc from 'fast-check'
import type { GroupAssignment, GroupMember, PartitionCounts } from '../../../ts/client/assignors/assignor.js'
import type { TopicPartition } from '../../../ts/client/consumer-options.js'

export interface Situation {
  partitions: PartitionCounts
  members: GroupMember[]
}

const topicNames = ['a', 'b', 'c', 'd', 'gone']

const arbitraryCounts = fc
  .tuple(...topicNames.slice(0, 4).map(() => fc.integer({ min: 0, max: 9 })))
  .map((counts) => new Map(counts.map((count, index) => [topicNames[index], count])))

/** Topics (one of which is not there), members with wishes of their own, and no claims. */
export const arbitraryGroup: fc.Arbitrary<Situation> = fc.record({
  partitions: arbitraryCounts,
  members: fc
    .array(fc.tuple(fc.subarray(topicNames), fc.option(fc.integer({ min: 0, max: 99 }))), {
      minLength: 1,
      maxLength: 8,
    })
    .map((all) => all.map(([topics, instance], index) => member(`m${index}`, topics, instance?.toString()))),
})

/** The same with wishes that are alike. */
export const arbitraryEqualGroup: fc.Arbitrary<Situation> = fc.record({
  partitions: arbitraryCounts,
  members: fc
    .tuple(fc.subarray(topicNames, { minLength: 1 }), fc.integer({ min: 1, max: 8 }))
    .map(([topics, count]) => Array.from({ length: count }, (_, index) => member(`m${index}`, topics))),
})

/** Claims of any kind: of what is not there, of what another claims too, of any generation. */
export const arbitraryClaims: fc.Arbitrary<Situation> = fc
  .tuple(
    arbitraryGroup,
    fc.array(
      fc.tuple(
        fc.uniqueArray(
          fc.record({ topic: fc.constantFrom(...topicNames), partition: fc.integer({ min: 0, max: 10 }) }),
          { selector: nameOf, maxLength: 12 },
        ),
        fc.integer({ min: -1, max: 3 }),
      ),
      { minLength: 8, maxLength: 8 },
    ),
  )
  .map(([{ partitions, members }, claims]) => ({
    partitions,
    members: members.map((one, index) => ({ ...one, owned: claims[index][0], generation: claims[index][1] })),
  }))

export function member(memberId: string, topics: string[], groupInstanceId?: string | null): GroupMember {
  return { memberId, groupInstanceId: groupInstanceId ?? null, topics, owned: [], generation: -1 }
}

/** The same members, each claiming what it was given. */
export function owning(
  members: readonly GroupMember[],
  assignment: GroupAssignment,
  generation: number,
): GroupMember[] {
  return members.map((one) => ({ ...one, owned: assignment.get(one.memberId) ?? [], generation }))
}

export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`
}

/** Every partition that some member wants. */
export function wanted({ partitions, members }: Situation): string[] {
  const topics = new Set(members.flatMap((one) => one.topics))
  return [...topics].flatMap((topic) => {
    return Array.from({ length: partitions.get(topic) ?? 0 }, (_, partition) => nameOf({ topic, partition }))
  })
}

/** How many partitions that a member claimed (of the newest generation alone) are now at another. */
export function moved(members: readonly GroupMember[], assignment: GroupAssignment): number {
  return members.reduce((sum, { memberId, owned }) => {
    const has = new Set(assignment.get(memberId)!.map(nameOf))
    return sum + owned.filter((place) => !has.has(nameOf(place))).length
  }, 0)
}
