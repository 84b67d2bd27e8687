import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { apiKey, type RequestOf } from '../../ts/protocol/apis.js'
import { errorName } from '../../ts/protocol/errors.js'
import { batchOf, TestBroker, temporaryDirectory, valuesOf } from './harness.js'

/** What a broker that is the only replica says to readers that think otherwise. */

const endpoint = () => ({ host: 'here', port: 9092 })

const epoch = 3

/** A broker that leads a partition in a later epoch than its first, in which nothing but the last record was written. */
async function open(): Promise<TestBroker> {
  const path = temporaryDirectory()
  const first = await TestBroker.open(path)
  await first.createTopic('t')
  await first.produce('t', batchOf(['old']))
  await first.produce('t', batchOf(['new']))
  await first.broker.close()
  writeFileSync(join(path, 't-0', 'leader-epoch-checkpoint'), `0\n2\n0 0\n${epoch} 1\n`)
  return TestBroker.open(path, { endpoint })
}

async function ask(test: TestBroker, more: Partial<RequestOf<1>>, currentLeaderEpoch: number, apiVersion = 18) {
  const request = { ...test.fetchRequest('t', 0, { currentLeaderEpoch }), ...more }
  const response = await test.ask(apiKey.fetch, request, { apiVersion })
  const [part] = response.responses[0].partitions
  const { currentLeader } = part
  return { error: errorName(part.errorCode), part, currentLeader, nodeEndpoints: response.nodeEndpoints }
}

describe('a fetch that says to be of a replica', () => {
  const ids = { old: { replicaId: 7 }, new: { replicaState: { replicaId: 7, replicaEpoch: 3n } } }

  it.each([
    [-1, 'NOT_LEADER_OR_FOLLOWER'],
    [epoch, 'UNKNOWN_LEADER_EPOCH'],
  ])('is refused, in leader epoch %i as %s', async (currentLeaderEpoch, error) => {
    const test = await open()
    for (const [name, apiVersion] of [
      ['old', 14],
      ['new', 18],
    ] as const) {
      const answer = await ask(test, ids[name], currentLeaderEpoch, apiVersion)
      expect(answer.error).toBe(error)
      expect(answer.part).toMatchObject({ records: Buffer.alloc(0), preferredReadReplica: -1, highWatermark: -1n })
      expect(answer.nodeEndpoints).toBeUndefined()
    }
  })

  it('is so for the node itself too, and at once, though it would wait', async () => {
    const test = await open()
    const patient = { minBytes: 1 << 20, maxWaitMs: 600_000 }
    const answer = await ask(test, { ...patient, replicaState: { replicaId: 1, replicaEpoch: -1n } }, -1)
    expect(answer.error).toBe('NOT_LEADER_OR_FOLLOWER')
    expect(answer.currentLeader).toEqual({ leaderId: 1, leaderEpoch: epoch })
  })
})

describe('a fetch of a consumer', () => {
  it('reads from here, whatever rack it is in; consumers are told apart by no id of theirs', async () => {
    const test = await open()
    for (const more of [{ rackId: 'far' }, { replicaId: -1 }, { replicaId: -2 }]) {
      const { part, error, currentLeader } = await ask(test, more, epoch)
      expect(error).toBe('NONE')
      expect(valuesOf(part.records)).toEqual(['old', 'new'])
      expect(part.preferredReadReplica).toBe(-1)
      expect(currentLeader).toBeUndefined()
    }
  })

  it('with an older leader epoch is told the one of now and where the leader is, since version 16', async () => {
    const test = await open()
    const told = await ask(test, {}, 0)
    expect(told.error).toBe('FENCED_LEADER_EPOCH')
    expect(told.currentLeader).toEqual({ leaderId: 1, leaderEpoch: epoch })
    expect(told.nodeEndpoints).toEqual([{ nodeId: 1, host: 'here', port: 9092, rack: null }])
    const before = await ask(test, {}, 0, 15)
    expect(before.error).toBe('FENCED_LEADER_EPOCH')
    expect([before.currentLeader, before.nodeEndpoints]).toEqual([undefined, undefined])
  })

  it('with a later one is told nothing but that it is unknown', async () => {
    const answer = await ask(await open(), {}, epoch + 1)
    expect(answer.error).toBe('UNKNOWN_LEADER_EPOCH')
    expect([answer.currentLeader, answer.nodeEndpoints]).toEqual([undefined, undefined])
  })
})
