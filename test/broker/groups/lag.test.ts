import { describe, expect, it } from 'vitest'
import { openEngine } from '../../../ts/native/open-engine.js'
import { apiKey } from '../../../ts/protocol/apis.js'
import { writePayload } from '../../../ts/protocol/codec/payloads.js'
import { consumerProtocolAssignment } from '../../../ts/protocol/payloads/consumer-protocol.js'
import { compressBatch } from '../../../ts/records/compress-batch.js'
import { batchOf, temporaryDirectory } from '../harness.js'
import { startMs, TestGroups } from './test-groups.js'

const crc32c = (bytes: Uint8Array) => openEngine().crc32c(bytes)

/** Topic `t` of two partitions, the first with 5 records a second apart, the last of them now. */
async function withRecords(target = 'memory:'): Promise<TestGroups> {
  const g = await TestGroups.open(target)
  await g.it.createTopic('t', 2)
  for (let i = 0; i < 5; i++) await g.it.produce('t', batchOf(['x'], {}, startMs - 4000 + 1000 * i))
  return g
}

describe('the lag of a group', () => {
  it('is what is left to read, in offsets and in time', async () => {
    const g = await withRecords()
    const lag = () => g.it.broker.groupLag('g')
    await expect(lag()).rejects.toMatchObject({ code: 'GROUP_ID_NOT_FOUND' })
    await g.commit({ 't/0': 2, 't/1': 0 })
    const none = { lag: 0n, lagMs: 0, endOffset: 0n, member: null }
    expect(await lag()).toMatchObject([
      { topic: 't', partition: 0, committedOffset: 2n, endOffset: 5n, logStartOffset: 0n, lag: 3n, lagMs: 2000 },
      { topic: 't', partition: 1, committedOffset: 0n, ...none },
    ])
    await g.timers.advance(500)
    expect((await lag())[0].lagMs).toBe(2500)
    await g.commit({ 't/0': 5 })
    expect((await lag())[0]).toMatchObject({ lag: 0n, lagMs: 0 })
  })

  it('is never negative', async () => {
    const g = await withRecords()
    await g.commit({ 't/0': 99, 't/1': 7 })
    expect((await g.it.broker.groupLag('g')).map(({ lag, lagMs }) => [lag, lagMs])).toEqual([
      [0n, 0],
      [0n, 0],
    ])
    // A producer whose clock is ahead.
    await g.commit({ 't/0': 5 })
    await g.it.produce('t', batchOf(['x'], {}, startMs + 60_000))
    expect((await g.it.broker.groupLag('g'))[0]).toMatchObject({ lag: 1n, lagMs: 0 })
  })

  it('counts what is still there', async () => {
    const g = await withRecords()
    await g.commit({ 't/0': 0 })
    const partitions = [{ partitionIndex: 0, offset: 3n }]
    await g.it.ask(apiKey.deleteRecords, { topics: [{ name: 't', partitions }] })
    expect(await g.it.broker.groupLag('g')).toMatchObject([
      { committedOffset: 0n, logStartOffset: 3n, lag: 2n, lagMs: 1000 },
    ])
  })

  it('looks into compressed batches', async () => {
    const g = await withRecords()
    const messages = [0, 1, 2].map((i) => ({ value: 'x', timestamp: startMs - 900 + 100 * i }))
    const batch = await compressBatch(batchOf(messages, { crc32c }), 'gzip', crc32c)
    await g.it.produce('t', batch, {}, { trusted: false })
    await g.commit({ 't/0': 6 })
    expect(await g.it.broker.groupLag('g')).toMatchObject([{ lag: 2n, lagMs: 800 }])
  })

  it('names members and what nobody committed, and loads the group it is asked for', async () => {
    const path = temporaryDirectory()
    const before = await withRecords(path)
    const { id, joined } = await before.joinNew({ clientId: 'app' })
    await before.timers.advance(0)
    await joined
    const assignedPartitions = [
      { topic: 't', partitions: [0, 1, 7] },
      { topic: 'gone', partitions: [0] },
    ]
    const assignment = writePayload(consumerProtocolAssignment, 0, { assignedPartitions, userData: null })
    const assignments = [{ memberId: id, assignment }]
    await before.it.ask(apiKey.syncGroup, {
      ...{ groupId: 'g', memberId: id, generationId: 1, protocolType: 'consumer', protocolName: 'range' },
      assignments,
    })
    await before.commit({ 't/0': 4 }, { memberId: id, generationId: 1 })
    await before.it.broker.close()
    const g = await TestGroups.open(path)
    const member = { id, clientId: 'app', clientHost: '/127.0.0.1' }
    expect(await g.it.broker.groupLag('g')).toMatchObject([
      { partition: 0, committedOffset: 4n, metadata: 'm', lag: 1n, member },
      { partition: 1, committedOffset: null, metadata: null, lag: null, lagMs: null, endOffset: 0n, member },
    ])
  })
})
