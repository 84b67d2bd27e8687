import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { GroupAssignment, GroupMember } from '../../../ts/client/assignors/assignor.js'
import { type AssignorName, assignors } from '../../../ts/client/assignors/assignors.js'
import {
  arbitraryClaims,
  arbitraryEqualGroup,
  arbitraryGroup,
  member,
  moved,
  nameOf,
  owning,
  type Situation,
  wanted,
} from './arbitrary-group.js'

const names = Object.keys(assignors) as AssignorName[]
const { range, roundRobin, sticky } = assignors
const cooperative = assignors['cooperative-sticky']

/** As text: what each member has, as `a0 a1 b3`. */
function shown(assignment: GroupAssignment): Record<string, string> {
  return Object.fromEntries(
    [...assignment].map(([id, places]) => [id, places.map(({ topic, partition }) => topic + partition).join(' ')]),
  )
}

const given = (assignment: GroupAssignment) => [...assignment.values()].flat().map(nameOf)
const loads = (assignment: GroupAssignment) => [...assignment.values()].map((places) => places.length)

/** No member could take over a partition of another that has at least two more. */
function expectBalance(assignment: GroupAssignment, { members }: Situation): void {
  for (const { memberId, topics } of members) {
    const own = assignment.get(memberId)!.length
    for (const [other, places] of assignment) {
      if (places.length < own + 2) continue
      const takeable = places.filter(({ topic }) => topics.includes(topic))
      expect(takeable, `${memberId} has ${own}, ${other} ${places.length}`).toEqual([])
    }
  }
}

/** Lets a cooperative group rebalance until nothing is held back; returns how often that took. */
function settle({ partitions, members }: Situation): { rounds: number; members: GroupMember[] } {
  let now = members
  for (let rounds = 1; ; rounds++) {
    const assignment = cooperative.assign(partitions, now)
    const owners = new Map(now.flatMap(({ memberId, owned }) => owned.map((place) => [nameOf(place), memberId])))
    for (const [memberId, places] of assignment) {
      for (const place of places) expect(owners.get(nameOf(place)) ?? memberId).toBe(memberId)
    }
    const isDone = given(assignment).length === wanted({ partitions, members }).length
    now = owning(now, assignment, rounds + 100)
    if (isDone) return { rounds, members: now }
    expect(rounds).toBeLessThan(3)
  }
}

describe.each(names)('%s', (name) => {
  const assignor = assignors[name]

  test('gives every wanted partition to one member, and only to one that wants it', () => {
    fc.assert(
      fc.property(arbitraryGroup, (situation) => {
        const assignment = assignor.assign(situation.partitions, situation.members)
        expect(given(assignment).sort()).toEqual(wanted(situation).sort())
        expect([...assignment.keys()].sort()).toEqual(situation.members.map(({ memberId }) => memberId).sort())
        for (const { memberId, topics } of situation.members) {
          for (const { topic } of assignment.get(memberId)!) expect(topics).toContain(topic)
        }
      }),
    )
  })

  test('does not depend on the order of the members', () => {
    fc.assert(
      fc.property(arbitraryClaims, ({ partitions, members }) => {
        // Two members of one lasting name do not exist.
        const all = members.map((one) => ({ ...one, groupInstanceId: null }))
        const assignment = shown(assignor.assign(partitions, all))
        expect(shown(assignor.assign(partitions, [...all].reverse()))).toEqual(assignment)
      }),
    )
  })

  test('a topic named twice counts once', () => {
    const members = [member('m0', ['a', 'a']), member('m1', ['a'])]
    expect(loads(assignor.assign(new Map([['a', 4]]), members))).toEqual([2, 2])
  })
})

describe('range', () => {
  test('runs per topic, the first members a partition more', () => {
    const members = [member('m0', ['a', 'b']), member('m1', ['a', 'b'])]
    const counts = new Map([
      ['a', 3],
      ['b', 3],
    ])
    expect(shown(range.assign(counts, members))).toEqual({ m0: 'a0 a1 b0 b1', m1: 'a2 b2' })
  })

  test('topics of one size are cut alike', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 1, max: 7 }), (count, size) => {
        const members = Array.from({ length: size }, (_, index) => member(`m${index}`, ['a', 'b']))
        const counts = new Map([
          ['a', count],
          ['b', count],
        ])
        for (const places of range.assign(counts, members).values()) {
          const numbers = (wanted: string) =>
            places.filter(({ topic }) => topic === wanted).map(({ partition }) => partition)
          expect(numbers('a')).toEqual(numbers('b'))
        }
      }),
    )
  })

  test('static members come first, by their names', () => {
    const members = [member('m0', ['a']), member('m1', ['a'], 'z'), member('m2', ['a'], 'y')]
    expect(shown(range.assign(new Map([['a', 3]]), members))).toEqual({ m2: 'a0', m1: 'a1', m0: 'a2' })
  })
})

describe('roundRobin', () => {
  test('in turn, passing over who does not want it', () => {
    const members = [member('m0', ['a']), member('m1', ['a', 'b']), member('m2', ['a', 'b'])]
    const counts = new Map([
      ['a', 2],
      ['b', 3],
    ])
    expect(shown(roundRobin.assign(counts, members))).toEqual({ m0: 'a0', m1: 'a1 b1', m2: 'b0 b2' })
  })

  test('even where all want the same', () => {
    fc.assert(
      fc.property(arbitraryEqualGroup, ({ partitions, members }) => {
        const all = loads(roundRobin.assign(partitions, members))
        expect(Math.max(...all) - Math.min(...all)).toBeLessThan(2)
      }),
    )
  })
})

describe('sticky', () => {
  test('balanced, whatever is claimed', () => {
    fc.assert(
      fc.property(arbitraryClaims, (situation) => {
        const assignment = sticky.assign(situation.partitions, situation.members)
        expect(given(assignment).sort()).toEqual(wanted(situation).sort())
        expectBalance(assignment, situation)
      }),
    )
  })

  test('nothing moves while nothing changes', () => {
    fc.assert(
      fc.property(arbitraryClaims, ({ partitions, members }) => {
        const first = sticky.assign(partitions, members)
        expect(shown(sticky.assign(partitions, owning(members, first, 5)))).toEqual(shown(first))
      }),
    )
  })

  test('a member that leaves: only its partitions move', () => {
    fc.assert(
      fc.property(arbitraryEqualGroup, ({ partitions, members }) => {
        fc.pre(members.length > 1)
        const first = sticky.assign(partitions, members)
        const left = owning(members, first, 5).slice(1)
        expect(moved(left, sticky.assign(partitions, left))).toBe(0)
      }),
    )
  })

  test('a member that comes: no more move than its fair share', () => {
    fc.assert(
      fc.property(arbitraryEqualGroup, ({ partitions, members }) => {
        const first = sticky.assign(partitions, members)
        const more = [...owning(members, first, 5), member('new', [...members[0].topics])]
        const second = sticky.assign(partitions, more)
        expect(moved(more, second)).toBe(second.get('new')!.length)
        const all = loads(second)
        expect(Math.max(...all) - Math.min(...all)).toBeLessThan(2)
      }),
    )
  })

  test('of two claims the later generation holds, of two alike neither', () => {
    const counts = new Map([['a', 2]])
    const claims = (first: number, second: number) => [
      { ...member('m0', ['a']), owned: [{ topic: 'a', partition: 1 }], generation: first },
      { ...member('m1', ['a']), owned: [{ topic: 'a', partition: 1 }], generation: second },
    ]
    expect(shown(sticky.assign(counts, claims(3, 4)))).toEqual({ m0: 'a0', m1: 'a1' })
    expect(shown(sticky.assign(counts, claims(4, 3)))).toEqual({ m0: 'a1', m1: 'a0' })
    expect(loads(sticky.assign(counts, claims(4, 4)))).toEqual([1, 1])
  })

  test('thousands of partitions and members of different wishes', () => {
    const topics = Array.from({ length: 40 }, (_, index) => `t${index}`)
    const partitions = new Map(topics.map((topic) => [topic, 200]))
    const members = Array.from({ length: 60 }, (_, index) => {
      return member(
        `m${index}`,
        topics.filter((_, at) => (at * 7 + index) % 3 !== 0),
      )
    })
    const assignment = sticky.assign(partitions, members)
    expectBalance(assignment, { partitions, members })
    const fewer = owning(members, assignment, 1).slice(10)
    const again = sticky.assign(partitions, fewer)
    expectBalance(again, { partitions, members: fewer })
    expect(given(again)).toHaveLength(8000)
  })
})

describe('cooperative-sticky', () => {
  test('no partition goes to a member while another has it', () => {
    fc.assert(
      fc.property(
        arbitraryEqualGroup,
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 0, max: 4 }),
        (group, go, come) => {
          const { partitions, members } = group
          const settled = settle({ partitions, members }).members
          const joined = Array.from({ length: come }, (_, index) => member(`n${index}`, [...members[0].topics]))
          const changed = [...settled.slice(Math.min(go, settled.length - 1)), ...joined]
          const { rounds, members: after } = settle({ partitions, members: changed })
          expect(rounds).toBeLessThanOrEqual(2)
          const all = after.map(({ owned }) => owned.length)
          expect(Math.max(...all) - Math.min(...all)).toBeLessThan(2)
        },
      ),
    )
  })

  test('wishes that change', () => {
    fc.assert(
      fc.property(arbitraryGroup, arbitraryGroup, (before, after) => {
        const settled = settle(before).members
        const members = after.members.map((one, index) => ({ ...one, ...claimOf(settled[index]) }))
        settle({ partitions: after.partitions, members })
      }),
    )
  })

  test('two members of one generation that claim the same both give it up', () => {
    const claims = ['m0', 'm1'].map((id) => {
      return { ...member(id, ['a']), owned: [{ topic: 'a', partition: 0 }], generation: 4 }
    })
    const counts = new Map([['a', 1]])
    expect(loads(cooperative.assign(counts, claims))).toEqual([0, 0])
    expect(loads(cooperative.assign(counts, [member('m0', ['a']), member('m1', ['a'])]))).toEqual([1, 0])
  })

  test('a claim of an older generation does not take it from who has it now', () => {
    const claim = (id: string, generation: number) => {
      return { ...member(id, ['a']), owned: [{ topic: 'a', partition: 0 }], generation }
    }
    expect(shown(cooperative.assign(new Map([['a', 1]]), [claim('m0', 3), claim('m1', 4)]))).toEqual({
      m0: '',
      m1: 'a0',
    })
  })
})

function claimOf(member: GroupMember | undefined): Partial<GroupMember> {
  return member === undefined ? {} : { owned: member.owned, generation: member.generation }
}
