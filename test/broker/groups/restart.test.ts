import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { coordinatorPartition } from '../../../ts/broker/groups/java-hash.js'
import { openEngine } from '../../../ts/native/open-engine.js'
import { apiKey } from '../../../ts/protocol/apis.js'
import { writePayload } from '../../../ts/protocol/codec/payloads.js'
import { errorName } from '../../../ts/protocol/errors.js'
import { groupMetadataKey, groupMetadataValue } from '../../../ts/protocol/payloads/group-metadata.js'
import { offsetCommitKey, offsetCommitValue } from '../../../ts/protocol/payloads/offset-commit.js'
import { zeroUuid } from '../../../ts/protocol/uuid.js'
import { compressBatch } from '../../../ts/records/compress-batch.js'
import type { BatchFields } from '../../../ts/records/record-batch-builder.js'
import { batchOf, LogLines, temporaryDirectory } from '../harness.js'
import { sessionTimeoutMs, subscription, TestGroups, textOf } from './test-groups.js'

/** Closes the broker and opens the directory again, without asking for any group. */
async function reopened(g: TestGroups, options = {}): Promise<TestGroups> {
  const path = g.it.broker.path
  await g.it.broker.close()
  return TestGroups.open(path, options, g.groupId)
}

/** Asks until the group is loaded. */
async function loaded<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (!JSON.stringify(answer).includes('COORDINATOR_LOAD_IN_PROGRESS')) return answer
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

async function fresh(): Promise<TestGroups> {
  const g = await TestGroups.open(temporaryDirectory())
  await g.it.createTopic('t', 3)
  return g
}

const key = (group: string, topic = 't', partition = 0) => writePayload(offsetCommitKey, 1, { group, topic, partition })
const groupKey = (group: string) => writePayload(groupMetadataKey, 2, { group })
const groupValue = (version: number, instanceId: string | null) =>
  writePayload(groupMetadataValue, version, {
    protocolType: 'consumer',
    generation: 6,
    protocol: 'range',
    leader: 'a',
    currentStateTimestamp: version >= 2 ? 5n : -1n,
    members: [
      {
        memberId: 'a',
        groupInstanceId: instanceId,
        clientId: 'c',
        clientHost: '/1.2.3.4',
        rebalanceTimeout: version >= 1 ? 1000 : -1,
        sessionTimeout: 10_000,
        subscription: subscription('t'),
        assignment: Buffer.from('mine'),
      },
    ],
  })
const value = (version: number, offset: number) =>
  writePayload(offsetCommitValue, version, {
    offset: BigInt(offset),
    leaderEpoch: -1,
    metadata: 'm',
    commitTimestamp: 1_700_000_000_000n,
    expireTimestamp: -1n,
    topicId: zeroUuid,
  })

describe('after a restart', () => {
  it('no group call answers before its partition is loaded', async () => {
    const before = await fresh()
    await before.commit({ t: 7 })
    const g = await reopened(before)
    const loading = 'COORDINATOR_LOAD_IN_PROGRESS'
    expect(await g.fetch(['t'])).toBe(loading)
    expect(await g.commit({ t: 9 })).toEqual([loading])
    expect(await g.heartbeat('x', 1)).toBe(loading)
    expect(errorName((await g.join()).errorCode)).toBe(loading)
    expect(errorName((await g.sync('x', 1)).errorCode)).toBe(loading)
    expect(await g.leave('x')).toEqual([loading])
    expect(await g.state()).toBe(loading)
    expect(await g.delete('g')).toEqual([loading])
    const old = await g.it.ask(
      apiKey.offsetFetch,
      {
        groupId: 'g',
        topics: [{ name: 't', partitionIndexes: [0] }],
      },
      { apiVersion: 1 },
    )
    expect(errorName(old.topics[0].partitions[0].errorCode)).toBe(loading)
    expect(await loaded(() => g.fetch(['t']))).toEqual({ 't/0': 7 })
  })

  it('offsets, metadata and epochs are there, and tombstones hold', async () => {
    const before = await fresh()
    for (let i = 1; i <= 50; i++) await before.commit({ 't/0': i, 't/1': 100 + i }, { metadata: `note ${i}` })
    await before.group('gone').commit({ t: 1 })
    await before.delete('gone')
    const topics = [{ name: 't', partitions: [{ partitionIndex: 1 }] }]
    await before.it.ask(apiKey.offsetDelete, { groupId: 'g', topics })
    const g = await reopened(before)
    expect(await g.list()).toEqual(['g'])
    const request = { groupId: 'g', topics: [{ name: 't', partitionIndexes: [0, 1] }] }
    const answer = await g.it.ask(apiKey.offsetFetch, request, { apiVersion: 7 })
    expect(answer.topics[0].partitions).toMatchObject([
      { committedOffset: 50n, committedLeaderEpoch: 3, metadata: 'note 50' },
      { committedOffset: -1n, metadata: '' },
    ])
  })

  it('members go on in their generation', async () => {
    const before = await fresh()
    const { ids, generation } = await before.stable(2)
    await before.commit({ t: 5 }, { memberId: ids[1], generationId: generation })
    const g = await reopened(before)
    expect(await loaded(() => g.heartbeat(ids[0], generation))).toBe('NONE')
    expect(await g.heartbeat(ids[1], generation)).toBe('NONE')
    expect(textOf((await g.sync(ids[1], generation)).assignment)).toBe('a1')
    expect(await g.describe()).toMatchObject({ groupState: 'Stable', protocolData: 'range' })
    expect(await g.commit({ t: 6 }, { memberId: ids[0], generationId: generation })).toEqual(['NONE'])
    const first = g.join({ memberId: ids[0] })
    const second = g.join({ memberId: ids[1] })
    expect(await first).toMatchObject({ generationId: generation + 1, leader: ids[0] })
    await second
  })

  it('members who do not come back are gone after a session', async () => {
    const before = await fresh()
    await before.stable(2)
    const g = await reopened(before)
    expect(await loaded(() => g.state())).toBe('Stable')
    await g.timers.advance(sessionTimeoutMs - 1)
    expect(await g.state()).toBe('Stable')
    await g.timers.advance(100_000)
    expect(await g.state()).toBe('Empty')
  })

  it('a static member keeps its assignment', async () => {
    const before = await fresh()
    const joined = before.join({ instanceId: 'i' })
    await before.timers.advance(0)
    const { memberId } = await joined
    await before.sync(memberId, 1, { [memberId]: 'mine' }, { instanceId: 'i' })
    const g = await reopened(before)
    await loaded(() => g.state())
    const back = await g.join({ instanceId: 'i' })
    expect(back).toMatchObject({ errorCode: 0, generationId: 1, skipAssignment: true })
    expect(textOf((await g.sync(back.memberId, 1, {}, { instanceId: 'i' })).assignment)).toBe('mine')
    expect(await g.heartbeat(memberId, 1, 'i')).toBe('FENCED_INSTANCE_ID')
  })

  it('groups are found again without seglog.json', async () => {
    const before = await fresh()
    for (const id of ['a', 'b', 'c']) await before.group(id).commit({ t: 1 })
    const path = before.it.broker.path
    await before.it.broker.close()
    rmSync(join(path, 'seglog.json'))
    // The topic has no folder of its own, so there is nothing to adopt; its offsets are still known.
    const g = await TestGroups.open(path)
    expect(await g.list()).toEqual(['a', 'b', 'c'])
    expect((await g.it.describeTopic('__consumer_offsets')).partitions).toHaveLength(50)
    expect(await loaded(() => g.group('b').fetch(['t/0']))).toEqual({ 't/0': 1 })
  })

  it('offsets of a topic that was deleted are not those of its successor', async () => {
    const before = await fresh()
    await before.commit({ t: 7 })
    // As if the process had died before the tombstones: the record is put back under the old id.
    await before.it.ask(apiKey.deleteTopics, { topics: [{ name: 't', topicId: zeroUuid }] })
    const old = { offset: 7n, leaderEpoch: -1, metadata: '', commitTimestamp: 1n, expireTimestamp: -1n }
    const left = writePayload(offsetCommitValue, 4, { ...old, topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' })
    await put(before, batchOf([{ key: key('g'), value: left }]))
    await before.it.createTopic('t', 3)
    const g = await reopened(before)
    expect(await loaded(() => g.fetch(['t']))).toEqual({ 't/0': -1 })
    expect(await g.fetch(null)).toEqual({})
  })
})

/** Appends a batch to the partition of `__consumer_offsets` that the group belongs to. */
async function put(g: TestGroups, batch: Buffer, trusted = true): Promise<void> {
  const partition = coordinatorPartition(g.groupId, 50)
  const part = await g.it.produce('__consumer_offsets', batch, { partition }, { trusted, clientId: '__admin_client' })
  if (part.errorCode !== 0) throw new Error(`put: ${errorName(part.errorCode)}`)
}

describe('a log that others wrote', () => {
  const crc32c = (bytes: Uint8Array) => openEngine().crc32c(bytes)

  it('is read in every version, compressed or not, over kinds that are not known', async () => {
    const before = await fresh()
    const records = [0, 1, 2, 3, 4].map((version) => ({
      key: key('g', `t${version}`),
      value: value(version, 10 + version),
    }))
    await put(before, batchOf(records))
    await put(
      before,
      await compressBatch(batchOf([{ key: key('g', 'tz'), value: value(3, 20) }], { crc32c }), 'gzip', crc32c),
      false,
    )
    const unknown = [10, 12, 17, 23, 99].map((kind) => ({ key: Buffer.from([0, kind, 0, 1, 0x67]), value: 'whatever' }))
    await put(before, batchOf([...unknown, { key: key('g', 'last'), value: value(1, 30) }]))
    const g = await reopened(before)
    await loaded(() => g.state())
    expect(await g.fetch(null, { version: 9 })).toEqual({
      't0/0': 10,
      't1/0': 11,
      't2/0': 12,
      't3/0': 13,
      't4/0': 14,
      'tz/0': 20,
      'last/0': 30,
    })
  })

  for (const version of [0, 1, 2, 3, 4]) {
    it(`groups are read in version ${version}`, async () => {
      const before = await fresh()
      const instanceId = version >= 3 ? 'i' : null
      await put(before, batchOf([{ key: groupKey('g'), value: groupValue(version, instanceId) }]))
      const g = await reopened(before)
      await loaded(() => g.state())
      expect(await g.heartbeat('a', 6, instanceId)).toBe('NONE')
      const described = await g.describe()
      expect(described).toMatchObject({ groupState: 'Stable', members: [{ clientHost: '/1.2.3.4' }] })
      expect(textOf(described.members[0].memberAssignment)).toBe('mine')
    })
  }

  it('keeps the offsets of a group whose own record was deleted', async () => {
    const before = await fresh()
    await put(before, batchOf([{ key: groupKey('g'), value: groupValue(3, null) }]))
    await put(
      before,
      batchOf([
        { key: key('g'), value: value(4, 3) },
        { key: groupKey('g'), value: null },
      ]),
    )
    const g = await reopened(before)
    await loaded(() => g.state())
    expect(await g.describe()).toMatchObject({ groupState: 'Empty', protocolType: '', members: [] })
    expect(await g.fetch(['t'])).toEqual({ 't/0': 3 })
  })

  it('a value that cannot be read is an error, not a missing offset', async () => {
    const before = await fresh()
    await put(before, batchOf([{ key: key('g'), value: Buffer.from([0, 5, 0, 0]) }]))
    const logger = new LogLines()
    const g = await reopened(before, { logger })
    expect(await loaded(() => g.fetch(['t']))).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(await g.list()).toEqual(['COORDINATOR_NOT_AVAILABLE'])
    expect(logger.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { message: expect.stringContaining('__consumer_offsets'), fields: { err: { code: 'CORRUPT_LOG' } } },
    ])
    expect(await g.group('other').fetch(['t'])).not.toBe('COORDINATOR_NOT_AVAILABLE')
  })
})

describe('offsets of transactions', () => {
  const txn = (producerId: number, sequence: number): BatchFields => ({
    producerId,
    producerEpoch: 0,
    baseSequence: sequence,
    isTransactional: true,
  })
  const marker = (producerId: number, commit: boolean) =>
    batchOf([{ key: Buffer.from([0, 0, 0, commit ? 1 : 0]), value: Buffer.alloc(6) }], {
      ...txn(producerId, -1),
      isControl: true,
    })

  it('count once they are committed, and in the order they were written', async () => {
    const before = await fresh()
    await put(
      before,
      batchOf([
        { key: key('g', 't', 0), value: value(4, 1) },
        { key: key('g', 't', 1), value: value(4, 1) },
      ]),
    )
    await put(
      before,
      batchOf(
        [
          { key: key('g', 't', 0), value: value(4, 5) },
          { key: key('g', 't', 1), value: value(4, 5) },
        ],
        txn(7, 0),
      ),
    )
    await put(before, batchOf([{ key: key('g', 't', 1), value: value(4, 6) }]))
    await put(before, batchOf([{ key: key('g', 't', 2), value: value(4, 9) }], txn(8, 0)))
    await put(before, marker(7, true))
    await put(before, marker(8, false))
    const g = await reopened(before)
    await loaded(() => g.state())
    expect(await g.fetch(['t/0', 't/1', 't/2'], { requireStable: true })).toEqual({ 't/0': 5, 't/1': 6, 't/2': -1 })
  })

  it('not decided are unstable to those who ask, and go with their group', async () => {
    const before = await fresh()
    await put(before, batchOf([{ key: key('g', 't', 0), value: value(4, 1) }]))
    await put(before, batchOf([{ key: key('g', 't', 0), value: value(4, 5) }], txn(7, 0)))
    const g = await reopened(before)
    await loaded(() => g.state())
    expect(await g.fetch(['t/0'])).toEqual({ 't/0': 1 })
    const topics = [{ name: 't', partitionIndexes: [0] }]
    const asked = { groupId: 'g', topics, requireStable: true }
    const stable = await g.it.ask(apiKey.offsetFetch, asked, { apiVersion: 7 })
    expect(errorName(stable.topics[0].partitions[0].errorCode)).toBe('UNSTABLE_OFFSET_COMMIT')
    expect(stable.topics[0].partitions[0].committedOffset).toBe(-1n)
    expect(await g.delete('g')).toEqual(['NONE'])
    expect(await g.fetch(['t/0'], { requireStable: true })).toEqual({ 't/0': -1 })
    const again = await reopened(g)
    expect(await loaded(() => again.state())).toBe('GROUP_ID_NOT_FOUND')
  })
})
