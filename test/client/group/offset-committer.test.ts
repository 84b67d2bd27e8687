import { describe, expect, test } from 'vitest'
import { AssignedPartition } from '../../../ts/client/assigned-partition.js'
import { AssignedPartitions } from '../../../ts/client/assigned-partitions.js'
import { range } from '../../../ts/client/assignors/range.js'
import { Generation } from '../../../ts/client/group/generation.js'
import { GroupCalls, type OffsetOf } from '../../../ts/client/group/group-calls.js'
import type { Membership } from '../../../ts/client/group/membership.js'
import { OffsetCommitter } from '../../../ts/client/group/offset-committer.js'
import { Signal } from '../../../ts/client/group/signal.js'
import { type ProtocolErrorName, protocolError, protocolErrors } from '../../../ts/protocol/errors.js'
import { zeroUuid } from '../../../ts/protocol/uuid.js'
import { ManualTimers } from '../../broker/manual-timers.js'
import { rejection } from '../rejection.js'
import { ScriptedCoordinator } from './scripted-coordinator.js'

/** A committer of two partitions at 5 and 6 of which 5 and 0 are committed, and what it needs, by hand. */
function setUp(isMember = true) {
  const coordinator = new ScriptedCoordinator()
  const timers = new ManualTimers()
  const partitions = new AssignedPartitions(() => {})
  const all = [0, 1].map((partition) => new AssignedPartition('t', zeroUuid, partition, 5 + partition, 'earliest'))
  Object.assign(all[0], { committed: 5 })
  Object.assign(all[1], { committed: 0, positionEpoch: 3 })
  partitions.replace(all)
  const member = {
    generation: new Generation('m1', 1, range, false),
    isBetweenGenerations: false,
    settling: new Signal(),
    async settled() {
      if (member.isBetweenGenerations) await member.settling.happened
    },
  }
  const errors: string[] = []
  const names = { groupId: 'g', groupInstanceId: null, clientId: null, sessionTimeoutMs: 1, rebalanceTimeoutMs: 1 }
  const committer = new OffsetCommitter(
    new GroupCalls(coordinator, names),
    partitions,
    isMember ? (member as unknown as Membership) : null,
    timers,
    ({ code }) => errors.push(code),
  )
  return { coordinator, timers, partitions, all, member, errors, committer }
}

/** What the coordinator answers about partition 1 (and 0, if that was asked too). */
function answer(...codes: (ProtocolErrorName | null)[]) {
  const partitions = codes.map((code, index) => {
    return { partitionIndex: codes.length === 1 ? 1 : index, errorCode: code === null ? 0 : protocolErrors[code].code }
  })
  return { topics: [{ name: 't', partitions }] }
}

const at = (partition: number, offset: bigint): OffsetOf => {
  return { topic: 't', partition, offset, leaderEpoch: -1, metadata: '' }
}

async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve))
}

const sent = (coordinator: ScriptedCoordinator) => {
  return coordinator.seen.flatMap(({ call, request }) => (call === 'commit' ? [request as never] : [])) as {
    generationIdOrMemberEpoch: number
    memberId: string
    topics: { partitions: { partitionIndex: number; committedOffset: bigint; committedLeaderEpoch: number }[] }[]
  }[]
}

describe('positions', () => {
  test('only those that have changed, with the epoch of what was read', async () => {
    const { coordinator, committer, all } = setUp()
    coordinator.script('commit', answer(null))
    await committer.commitPositions(all)
    expect(sent(coordinator)).toMatchObject([
      {
        ...{ generationIdOrMemberEpoch: 1, memberId: 'm1' },
        topics: [{ partitions: [{ partitionIndex: 1, committedOffset: 6n, committedLeaderEpoch: 3 }] }],
      },
    ])
    expect(all[1].committed).toBe(6)
    await committer.commitPositions(all)
    expect(coordinator.count('commit')).toBe(1)
  })

  test('not below what was committed by hand, unless the position is moved there', async () => {
    const { coordinator, committer, all } = setUp()
    coordinator.script('commit', answer('NOT_COORDINATOR'), answer(null), answer(null), answer(null))
    await rejection(committer.commitPositions(all))
    const [behind, offsets] = [all[1], () => sent(coordinator).map(({ topics }) => topics[0].partitions[0])]
    await committer.commit([at(1, 9n)])
    await committer.commitPositions(all)
    expect(offsets().map(({ committedOffset }) => committedOffset)).toEqual([6n, 9n])
    behind.restart()
    behind.position = 10
    await committer.commitPositions(all)
    behind.moveTo(2)
    await committer.commitPositions(all)
    expect(offsets().map(({ committedOffset }) => committedOffset)).toEqual([6n, 9n, 10n, 2n])
  })

  test('for the last time: tried again while the trouble passes and somebody waits', async () => {
    const { coordinator, timers, committer, all } = setUp()
    const lost = { throws: protocolError('NETWORK_EXCEPTION') }
    coordinator.script('commit', lost, answer('NOT_COORDINATOR'), answer(null), lost, lost)
    const done = committer.commitFinally(all, new Signal())
    for (let n = 0; n < 2; n++) {
      await settle()
      await timers.advance(400)
    }
    await done
    expect(all[1].committed).toBe(6)
    all[1].position = 7
    const over = new Signal()
    const failed = rejection(committer.commitFinally(all, over))
    await settle()
    over.set()
    expect(await failed).toMatchObject({ code: 'NETWORK_EXCEPTION' })
    expect(coordinator.count('commit')).toBe(5)
  })

  test.each(['ILLEGAL_GENERATION', 'UNKNOWN_TOPIC_OR_PARTITION'] as const)(
    'for the last time: %s ends it at once',
    async (code) => {
      const { coordinator, committer, all } = setUp()
      coordinator.script('commit', answer(code))
      const failed = rejection(committer.commitFinally(all, new Signal()))
      expect(await failed).toMatchObject({ code })
      expect(coordinator.count('commit')).toBe(1)
    },
  )

  test('every so often; what passes is left to the next time', async () => {
    const { coordinator, timers, committer, all, errors } = setUp()
    coordinator.script('commit', answer('COORDINATOR_LOAD_IN_PROGRESS'), answer(null))
    committer.commitEvery(100)
    await timers.advance(100)
    await settle()
    expect(all[1].committed).toBe(0)
    await timers.advance(100)
    await settle()
    expect(all[1].committed).toBe(6)
    expect(errors).toEqual([])
    committer.stop()
    all[1].position = 7
    await timers.advance(1_000)
    expect(coordinator.count('commit')).toBe(2)
  })

  test('every so often; what does not pass is told', async () => {
    const { coordinator, timers, committer, errors } = setUp()
    coordinator.script('commit', answer('GROUP_AUTHORIZATION_FAILED'))
    committer.commitEvery(100)
    await timers.advance(100)
    await settle()
    expect(errors).toEqual(['GROUP_AUTHORIZATION_FAILED'])
  })

  test('not while a join is under way', async () => {
    const { coordinator, committer, member, all } = setUp()
    member.isBetweenGenerations = true
    await committer.commitPositions(all)
    expect(coordinator.count('commit')).toBe(0)
  })

  test('of a consumer that assigns by itself, from outside the generations', async () => {
    const { coordinator, committer } = setUp(false)
    coordinator.script('commit', answer(null))
    await committer.commit(null)
    expect(sent(coordinator)).toMatchObject([{ generationIdOrMemberEpoch: -1, memberId: '' }])
  })
})

describe('a commit that is asked for', () => {
  test('is tried again while the trouble passes, only for what failed', async () => {
    const { coordinator, timers, committer, all } = setUp()
    coordinator.script(
      'commit',
      answer(null, 'NOT_COORDINATOR'),
      { throws: protocolError('NETWORK_EXCEPTION') },
      answer(null),
    )
    const done = committer.commit([at(0, 8n), at(1, 9n)])
    await settle()
    await timers.advance(200)
    await settle()
    await timers.advance(400)
    await done
    expect(sent(coordinator).map(({ topics }) => topics[0].partitions.length)).toEqual([2, 1, 1])
    expect(all.map(({ committed }) => committed)).toEqual([8, 9])
  })

  test('gives up at last', async () => {
    const { coordinator, timers, committer } = setUp()
    for (let n = 0; n < 200; n++) coordinator.script('commit', answer('NOT_COORDINATOR'))
    const failed = rejection(committer.commit([at(1, 9n)]))
    for (let n = 0; n < 70; n++) {
      await settle()
      await timers.advance(1_200)
    }
    expect(await failed).toMatchObject({ code: 'NOT_COORDINATOR', partition: 1 })
  })

  test('none overtakes another', async () => {
    const { coordinator, timers, committer, all } = setUp()
    coordinator.script('commit', answer('NOT_COORDINATOR'), answer(null), answer(null))
    const commits = [committer.commit([at(1, 8n)]), committer.commit([at(1, 9n)])]
    await settle()
    expect(coordinator.count('commit')).toBe(1)
    await timers.advance(200)
    await Promise.all(commits)
    expect(sent(coordinator).map(({ topics }) => topics[0].partitions[0].committedOffset)).toEqual([8n, 8n, 9n])
    expect(all[1].committed).toBe(9)
  })

  test('waits for the join that runs, and is made in the next generation', async () => {
    const { coordinator, committer, member } = setUp()
    member.isBetweenGenerations = true
    coordinator.script('commit', answer(null))
    const done = committer.commit([at(1, 9n)])
    await settle()
    expect(coordinator.count('commit')).toBe(0)
    member.generation = new Generation('m1', 2, range, false)
    member.isBetweenGenerations = false
    member.settling.set()
    await done
    expect(sent(coordinator)).toMatchObject([{ generationIdOrMemberEpoch: 2 }])
  })

  test('the generation that ended under it', async () => {
    const { coordinator, timers, committer, member } = setUp()
    coordinator.script('commit', 'never', answer(null))
    const done = committer.commit([at(1, 9n)])
    await settle()
    member.generation = new Generation('m1', 2, range, false)
    coordinator.release(answer('ILLEGAL_GENERATION'))
    await settle()
    await timers.advance(200)
    await done
    expect(sent(coordinator).map((one) => one.generationIdOrMemberEpoch)).toEqual([1, 2])
  })

  test('and the partition that went with it', async () => {
    const { coordinator, timers, committer, member, partitions } = setUp()
    coordinator.script('commit', 'never')
    const failed = rejection(committer.commit([at(1, 9n)]))
    await settle()
    member.generation = new Generation('m1', 2, range, false)
    partitions.replace([])
    coordinator.release(answer('ILLEGAL_GENERATION'))
    await settle()
    await timers.advance(200)
    expect(await failed).toMatchObject({ code: 'ILLEGAL_GENERATION', topic: 't', partition: 1 })
    expect(coordinator.count('commit')).toBe(1)
  })

  test.each(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID'] as const)(
    '%s: the membership hears of it',
    async (code) => {
      const { coordinator, committer, member } = setUp()
      coordinator.script('commit', answer(code))
      expect(await rejection(committer.commit([at(1, 9n)]))).toMatchObject({ code })
      expect(member.generation.lost.value).toMatchObject({ code })
    },
  )

  test.each(['OFFSET_METADATA_TOO_LARGE', 'UNKNOWN_TOPIC_OR_PARTITION', 'TOPIC_AUTHORIZATION_FAILED'] as const)(
    '%s: it does not',
    async (code) => {
      const { coordinator, committer, member } = setUp()
      coordinator.script('commit', answer(code))
      expect(await rejection(committer.commit([at(1, 9n)]))).toMatchObject({ code, topic: 't', partition: 1 })
      expect(member.generation.lost.isSet).toBe(false)
    },
  )
})
