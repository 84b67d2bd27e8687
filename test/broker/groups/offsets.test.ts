import { describe, expect, it } from 'vitest'
import { apiKey } from '../../../ts/protocol/apis.js'
import { errorName } from '../../../ts/protocol/errors.js'
import { zeroUuid } from '../../../ts/protocol/uuid.js'
import { errorOf, sessionTimeoutMs, subscription, TestGroups, textOf } from './test-groups.js'

async function withTopics(...topics: string[]): Promise<TestGroups> {
  const g = await TestGroups.open()
  for (const topic of topics) await g.it.createTopic(topic, 3)
  return g
}

describe('a commit', () => {
  it('from outside is taken while the group has no members', async () => {
    const g = await withTopics('t')
    expect(await g.commit({ 't/0': 5, 't/2': 7 })).toEqual(['NONE', 'NONE'])
    expect(await g.fetch(['t/0', 't/1', 't/2'])).toEqual({ 't/0': 5, 't/1': -1, 't/2': 7 })
    expect(await g.describe()).toMatchObject({ groupState: 'Empty', protocolType: '' })
    await g.stable(1)
    expect(await g.commit({ 't/0': 6 })).toEqual(['UNKNOWN_MEMBER_ID'])
    expect(await g.commit({ 't/0': 6 }, { memberId: 'x' })).toEqual(['UNKNOWN_MEMBER_ID'])
    await g.timers.advance(sessionTimeoutMs)
    expect(await g.state()).toBe('Empty')
    expect(await g.commit({ 't/0': 6 })).toEqual(['NONE'])
  })

  it('of a member is taken in its generation only, and counts as heard', async () => {
    const g = await withTopics('t')
    const { ids } = await g.stable(1)
    for (let i = 1; i <= 4; i++) {
      await g.timers.advance(sessionTimeoutMs - 1)
      expect(await g.commit({ t: i }, { memberId: ids[0], generationId: 1 })).toEqual(['NONE'])
    }
    expect(await g.fetch(['t'])).toEqual({ 't/0': 4 })
    expect(await g.commit({ t: 9 }, { memberId: ids[0], generationId: 2 })).toEqual(['ILLEGAL_GENERATION'])
    expect(await g.commit({ t: 9 }, { memberId: 'nobody', generationId: 1 })).toEqual(['UNKNOWN_MEMBER_ID'])
    expect(await g.fetch(['t'])).toEqual({ 't/0': 4 })
  })

  it('is taken before a rebalance is through, and refused while it is assigned', async () => {
    const g = await withTopics('t')
    const { ids } = await g.stable(1)
    const second = await g.joinNew()
    expect(await g.commit({ t: 1 }, { memberId: ids[0], generationId: 1 })).toEqual(['NONE'])
    const again = g.join({ memberId: ids[0] })
    await Promise.all([second.joined, again])
    expect(await g.commit({ t: 2 }, { memberId: ids[0], generationId: 2 })).toEqual(['REBALANCE_IN_PROGRESS'])
    expect(await g.commit({ t: 2 }, { memberId: ids[0], generationId: 1 })).toEqual(['ILLEGAL_GENERATION'])
  })

  it('names the group that does not exist, to clients that know the name', async () => {
    const g = await withTopics('t')
    const stranger = { memberId: 'x', generationId: 3 }
    expect(await g.commit({ t: 1 }, { ...stranger, version: 9 })).toEqual(['GROUP_ID_NOT_FOUND'])
    expect(await g.commit({ t: 1 }, { ...stranger, version: 8 })).toEqual(['ILLEGAL_GENERATION'])
    expect(await g.list()).toEqual([])
  })

  it('says of each partition what is wrong with it, and writes the rest', async () => {
    const g = await withTopics('t')
    const places = { 't/0': 1, 't/3': 1, 't/-1': 1, 'u/0': 1 }
    const unknown = 'UNKNOWN_TOPIC_OR_PARTITION'
    expect(await g.commit(places)).toEqual(['NONE', unknown, unknown, unknown])
    expect(await g.commit({ 't/1': 1 }, { metadata: 'x'.repeat(4097) })).toEqual(['OFFSET_METADATA_TOO_LARGE'])
    expect(await g.commit({ 't/1': 1 }, { metadata: 'x'.repeat(4096) })).toEqual(['NONE'])
    expect(await g.fetch(null)).toEqual({ 't/0': 1, 't/1': 1 })
  })

  it('and a fetch can name topics by id', async () => {
    const g = await withTopics('t')
    const topicId = (await g.it.describeTopic('t')).topicId
    const partitions = [{ partitionIndex: 0, committedOffset: 8n, committedLeaderEpoch: -1, committedMetadata: null }]
    const topics = [topicId, 'AAAAAAAAAAAAAAAAAAAAAQ'].map((id) => ({ name: '', topicId: id, partitions }))
    const committed = await g.it.ask(apiKey.offsetCommit, { groupId: 'g', topics })
    expect(committed.topics.map(({ partitions: [{ errorCode }] }) => errorName(errorCode))).toEqual([
      'NONE',
      'UNKNOWN_TOPIC_ID',
    ])
    expect(committed.topics[0]).toMatchObject({ name: 't', topicId })
    const asked = topics.map((topic) => ({ name: '', topicId: topic.topicId, partitionIndexes: [0] }))
    const groups = [{ groupId: 'g', memberId: null, memberEpoch: -1, topics: asked }]
    const [{ topics: found }] = (await g.it.ask(apiKey.offsetFetch, { groups })).groups
    expect(found[0]).toMatchObject({ topicId, partitions: [{ committedOffset: 8n, metadata: '', errorCode: 0 }] })
    expect(errorName(found[1].partitions[0].errorCode)).toBe('UNKNOWN_TOPIC_ID')
  })
})

describe('a fetch of offsets', () => {
  it('gives back what was committed, whole', async () => {
    const g = await withTopics('t')
    await g.commit({ 't/1': 42 }, { metadata: 'my note' })
    const topics = [{ name: 't', partitionIndexes: [1, 0] }]
    const answer = await g.it.ask(apiKey.offsetFetch, { groupId: 'g', topics }, { apiVersion: 7 })
    const none = { committedOffset: -1n, committedLeaderEpoch: -1, metadata: '', errorCode: 0 }
    expect(answer).toMatchObject({
      errorCode: 0,
      topics: [
        {
          name: 't',
          partitions: [
            { partitionIndex: 1, committedOffset: 42n, committedLeaderEpoch: 3, metadata: 'my note', errorCode: 0 },
            { partitionIndex: 0, ...none },
          ],
        },
      ],
      groups: [],
    })
  })

  it('of all topics, of many groups, of groups that do not exist', async () => {
    const g = await withTopics('t', 'u')
    await g.commit({ 't/1': 1, 'u/0': 2 })
    await g.group('h').commit({ 't/0': 3 })
    const groups = ['g', 'h', 'none'].map((groupId) => ({ groupId, memberId: null, memberEpoch: -1, topics: null }))
    const answer = await g.it.ask(apiKey.offsetFetch, { groups })
    expect(answer.groups.map(({ topics }) => topics.map(({ name }) => name).sort())).toEqual([['t', 'u'], ['t'], []])
    expect(await g.group('none').fetch(['t/0'])).toEqual({ 't/0': -1 })
    const old = await g.it.ask(apiKey.offsetFetch, { groupId: 'h', topics: null }, { apiVersion: 2 })
    expect(old.topics).toMatchObject([{ name: 't', partitions: [{ committedOffset: 3n }] }])
    expect(await g.group('none').list()).toEqual(['g', 'h'])
  })

  it('answers what is named again once', async () => {
    const g = await withTopics('t', 'u')
    await g.commit({ 't/0': 1, 't/1': 2, 'u/0': 3 })
    const ask = async (...asked: [groupId: string, topics: Record<string, number[]> | null][]) => {
      const groups = asked.map(([groupId, topics]) => ({
        ...{ groupId, memberId: null, memberEpoch: -1 },
        topics:
          topics && Object.entries(topics).map(([name, partitionIndexes]) => ({ ...named(name), partitionIndexes })),
      }))
      const answer = await g.it.ask(apiKey.offsetFetch, { groups }, { apiVersion: 9 })
      return answer.groups.map(({ groupId, topics }) => [
        groupId,
        topics.map(({ name, partitions }) => [name, ...partitions.map((one) => Number(one.committedOffset))]),
      ])
    }
    const named = (name: string) => ({ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' })
    expect(await ask(['g', { t: [0, 0, 1, 0] }], ['h', null], ['g', { u: [0], t: [1] }])).toEqual([
      [
        'g',
        [
          ['t', 1, 2],
          ['u', 3],
        ],
      ],
      ['h', []],
    ])
    const [[, all]] = await ask(['g', { t: [0] }], ['g', null], ['g', null])
    expect(all).toEqual([
      ['t', 1, 2],
      ['u', 3],
    ])
  })

  it('works for the empty group id, as it always did', async () => {
    const g = (await withTopics('t')).group('')
    expect(await g.commit({ t: 4 })).toEqual(['NONE'])
    expect(await g.fetch(['t'])).toEqual({ 't/0': 4 })
    expect(await g.delete('')).toEqual(['NONE'])
    expect(await g.fetch(['t'])).toEqual({ 't/0': -1 })
  })
})

describe('deleting', () => {
  it('a group takes its offsets, and only one without members can go', async () => {
    const g = await withTopics('t')
    await g.commit({ t: 1 })
    const { ids, generation } = await g.stable(1)
    await g.commit({ t: 2 }, { memberId: ids[0], generationId: generation })
    expect(await g.delete('g', 'none')).toEqual(['NON_EMPTY_GROUP', 'GROUP_ID_NOT_FOUND'])
    await g.leave(ids[0])
    expect(await g.delete('g')).toEqual(['NONE'])
    expect(await g.state()).toBe('GROUP_ID_NOT_FOUND')
    expect((await g.describe(5)).groupState).toBe('Dead')
    expect(await g.fetch(['t'])).toEqual({ 't/0': -1 })
    expect(await g.delete('g')).toEqual(['GROUP_ID_NOT_FOUND'])
  })

  it('a group while a commit to it is being written takes that commit too', async () => {
    const g = await withTopics('t')
    await g.commit({ t: 1 })
    const [committed, deleted] = await Promise.all([g.commit({ 't/1': 2 }), g.delete('g')])
    expect([committed, deleted]).toEqual([['NONE'], ['NONE']])
    expect(await g.fetch(null)).toEqual({})
  })

  it('offsets leaves those of topics in use', async () => {
    const g = await withTopics('t', 'u')
    await g.commit({ 't/0': 1, 'u/0': 2, 'u/1': 3 })
    await g.stable(1, { protocols: [{ name: 'range', metadata: subscription('t') }] })
    const topics = ['t', 'u', 'x'].map((name) => ({ name, partitions: [{ partitionIndex: 0 }] }))
    const answer = await g.it.ask(apiKey.offsetDelete, { groupId: 'g', topics })
    expect(answer.errorCode).toBe(0)
    expect(answer.topics.map(({ partitions: [{ errorCode }] }) => errorName(errorCode))).toEqual([
      'GROUP_SUBSCRIBED_TO_TOPIC',
      'NONE',
      'UNKNOWN_TOPIC_OR_PARTITION',
    ])
    expect(await g.fetch(null)).toEqual({ 't/0': 1, 'u/1': 3 })
  })

  it('offsets of a group with members that are no consumers is refused, and of none there are none', async () => {
    const g = await withTopics('t')
    const protocols = [{ name: 'v0', metadata: new Uint8Array(2) }]
    await g.stable(1, { protocolType: 'connect', protocols })
    expect(await errorOf(g.it.ask(apiKey.offsetDelete, { groupId: 'g', topics: [] }))).toBe('NON_EMPTY_GROUP')
    expect(await errorOf(g.it.ask(apiKey.offsetDelete, { groupId: 'x', topics: [] }))).toBe('GROUP_ID_NOT_FOUND')
    expect(await errorOf(g.it.ask(apiKey.offsetDelete, { groupId: '', topics: [] }))).toBe('INVALID_GROUP_ID')
  })

  it('a topic takes its offsets, and wakes who waits for its records', async () => {
    const g = await withTopics('t', 'u')
    await g.commit({ 't/0': 1, 't/1': 2, 'u/0': 3 })
    await g.group('h').commit({ 't/0': 4 })
    const waiting = g.it.fetch('t', 0, { minBytes: 1, maxWaitMs: 600_000 })
    await g.it.ask(apiKey.deleteTopics, { topics: [{ name: 't', topicId: zeroUuid }] })
    expect(errorName((await waiting).errorCode)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    await g.it.createTopic('t', 3)
    expect(await g.fetch(['t/0', 't/1', 'u/0'])).toEqual({ 't/0': -1, 't/1': -1, 'u/0': 3 })
    expect(await g.group('h').fetch(null)).toEqual({})
  })
})

describe('listing', () => {
  it('goes by state and by type, without regard to case', async () => {
    const g = await withTopics('t')
    await g.stable(1)
    await g.group('offsets').commit({ t: 1 })
    expect(await g.list()).toEqual(['g', 'offsets'])
    expect(await g.list(['stable'])).toEqual(['g'])
    expect(await g.list(['Empty', 'Dead'])).toEqual(['offsets'])
    expect(await g.list([], ['Classic'])).toEqual(['g', 'offsets'])
    expect(await g.list([], ['consumer'])).toEqual([])
    const { groups } = await g.it.ask(apiKey.listGroups, {})
    expect(groups).toContainEqual({
      groupId: 'g',
      protocolType: 'consumer',
      groupState: 'Stable',
      groupType: 'classic',
    })
  })

  it('describes members in full', async () => {
    const g = await withTopics('t')
    const { ids } = await g.stable(1, { clientId: 'app' })
    const group = await g.describe()
    expect(group).toMatchObject({ groupState: 'Stable', protocolType: 'consumer', protocolData: 'range' })
    expect(group.members).toMatchObject([{ memberId: ids[0], clientId: 'app', clientHost: '/127.0.0.1' }])
    expect(textOf(group.members[0].memberAssignment)).toBe('a0')
    expect(Buffer.from(group.members[0].memberMetadata)).toEqual(subscription('t'))
    const asked = { groups: ['g'], includeAuthorizedOperations: true }
    expect((await g.it.ask(apiKey.describeGroups, asked)).groups[0].authorizedOperations).toBe(0xd48)
  })
})
