import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Assignment,
  addPartition,
  countOf,
  nothingAssigned,
} from '../../../../ts/broker/groups/consumer/assignment.js'
import type { AssignorGroup, AssignorMember } from '../../../../ts/broker/groups/consumer/assignors/assignor.js'
import { assignors } from '../../../../ts/broker/groups/consumer/assignors/assignors.js'

const { uniform, range } = assignors

function group(
  counts: Record<string, number>,
  ...members: (Partial<AssignorMember> & { id: string })[]
): AssignorGroup {
  const partitionCounts = new Map(Object.entries(counts))
  const all = new Set(partitionCounts.keys())
  return {
    partitionCounts,
    members: members.map((member) => ({ instanceId: null, topicIds: all, target: nothingAssigned, ...member })),
  }
}

function shown(assignments: ReadonlyMap<string, Assignment>): Record<string, string[]> {
  return Object.fromEntries(Array.from(assignments, ([id, assignment]) => [id, places(assignment)]))
}

const places = (assignment: Assignment) =>
  Array.from(assignment, ([topic, partitions]) => [...partitions].map((partition) => `${topic}-${partition}`))
    .flat()
    .sort()

function assignment(...names: string[]): Assignment {
  const made = new Map<string, Set<number>>()
  for (const name of names) addPartition(made, name.split('-')[0], Number(name.split('-')[1]))
  return made
}

/** Groups in which some members have something already, be it gone or no longer wanted. */
const groups = fc
  .record({
    counts: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
    members: fc.array(fc.record({ wants: fc.nat(15), has: fc.nat(3), isStatic: fc.boolean() }), {
      minLength: 1,
      maxLength: 6,
    }),
    homogeneous: fc.boolean(),
  })
  .map(({ counts, members, homogeneous }): AssignorGroup => {
    const partitionCounts = new Map(counts.map((count, i) => [`t${i}`, count]))
    const taken = new Set<string>()
    const made = members.map(({ wants, has, isStatic }, i): AssignorMember => {
      const wanted = homogeneous ? members[0].wants : wants
      const target = new Map<string, Set<number>>()
      for (const [j, count] of counts.entries()) {
        for (let partition = 0; partition < count + 1; partition++) {
          const place = `t${j}-${partition}`
          if ((partition + i) % 4 >= has || taken.has(place)) continue
          taken.add(place)
          addPartition(target, `t${j}`, partition)
        }
      }
      const topicIds = new Set([...partitionCounts.keys()].filter((_, j) => (wanted >> j) % 2 === 1))
      return { id: `m${i}`, instanceId: isStatic ? `i${9 - i}` : null, topicIds, target }
    })
    const wanted = new Set(made.flatMap(({ topicIds }) => [...topicIds]))
    return { members: made, partitionCounts: new Map([...partitionCounts].filter(([id]) => wanted.has(id))) }
  })

describe.each(Object.entries(assignors))('%s', (_, assign) => {
  it('gives every partition to one member that wants its topic, always the same', () => {
    fc.assert(
      fc.property(groups, (asked) => {
        const given = assign(asked)
        expect(shown(assign(asked))).toEqual(shown(given))
        const owners = new Map<string, string>()
        for (const { id, topicIds } of asked.members) {
          for (const [topicId, partitions] of given.get(id)!) {
            expect(topicIds.has(topicId)).toBe(true)
            for (const partition of partitions) {
              expect(owners.has(`${topicId}-${partition}`)).toBe(false)
              owners.set(`${topicId}-${partition}`, id)
            }
          }
        }
        let total = 0
        for (const count of asked.partitionCounts.values()) total += count
        expect(owners.size).toBe(total)
      }),
    )
  })
})

describe('uniform', () => {
  it('is balanced as far as the topics allow: nobody could take from another that has two more', () => {
    fc.assert(
      fc.property(groups, (asked) => {
        const given = uniform(asked)
        const load = (id: string) => countOf(given.get(id)!)
        for (const poor of asked.members) {
          for (const rich of asked.members) {
            const couldGive = [...given.get(rich.id)!.keys()].some((topicId) => poor.topicIds.has(topicId))
            if (couldGive) expect(load(rich.id) - load(poor.id)).toBeLessThanOrEqual(1)
          }
        }
      }),
    )
  })

  it('moves nothing that need not be moved', () => {
    fc.assert(
      fc.property(groups, (asked) => {
        const given = uniform(asked)
        const again = {
          ...asked,
          members: asked.members.map((member) => ({ ...member, target: given.get(member.id)! })),
        }
        expect(shown(uniform(again))).toEqual(shown(given))
      }),
    )
  })

  it('takes from those who have more what another needs, no more', () => {
    const target = assignment('t-0', 't-1', 't-2', 't-3', 't-4', 't-5')
    expect(shown(uniform(group({ t: 6 }, { id: 'a', target }, { id: 'b' })))).toEqual({
      a: ['t-0', 't-1', 't-2'],
      b: ['t-3', 't-4', 't-5'],
    })
    const few = uniform(
      group({ t: 3 }, { id: 'a', target: assignment('t-2') }, { id: 'b', target: assignment('t-0', 't-1') }),
    )
    expect(shown(few)).toEqual({ a: ['t-2'], b: ['t-0', 't-1'] })
  })

  it('computes for a thousand members and ten thousand partitions without many steps for each', () => {
    const members = Array.from({ length: 1000 }, (_, i) => ({ id: `m${i}` }))
    const given = uniform(group({ a: 5000, b: 5000 }, ...members))
    expect(new Set(Array.from(given.values(), countOf))).toEqual(new Set([10]))
  })
})

describe('range', () => {
  it('gives the same ranges of every topic, the longer ones first', () => {
    expect(shown(range(group({ t: 5, u: 5 }, { id: 'b' }, { id: 'a' })))).toEqual({
      a: ['t-0', 't-1', 't-2', 'u-0', 'u-1', 'u-2'],
      b: ['t-3', 't-4', 'u-3', 'u-4'],
    })
  })

  it('begins with static members, by their instance ids', () => {
    const members = [{ id: 'a' }, { id: 'b', instanceId: 'i2' }, { id: 'c', instanceId: 'i1' }]
    expect(shown(range(group({ t: 3 }, ...members)))).toEqual({ c: ['t-0'], b: ['t-1'], a: ['t-2'] })
  })
})
