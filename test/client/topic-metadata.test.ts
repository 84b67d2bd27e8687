import { expect, test } from 'vitest'
import { TopicMetadataCache } from '../../ts/client/topic-metadata.js'
import type { Transport } from '../../ts/client/transport.js'
import { protocolErrors } from '../../ts/protocol/errors.js'

/** A cluster that gives these answers to Metadata, one after the other, and then says that the topic is there. */
function cluster(...codes: number[]) {
  const asked: boolean[] = []
  const transport = {
    isRemote: true,
    backOff: { initialMs: 1, maxMs: 1 },
    request: async (_key: number, request: { allowAutoTopicCreation: boolean }) => {
      asked.push(request.allowAutoTopicCreation)
      return { topics: [{ errorCode: codes.shift() ?? 0, name: 't', topicId: 'id', partitions: [{}, {}] }] }
    },
  } as unknown as Transport
  return { asked, metadata: new TopicMetadataCache(transport) }
}

const unknown = protocolErrors.UNKNOWN_TOPIC_OR_PARTITION.code
const noLeader = protocolErrors.LEADER_NOT_AVAILABLE.code

test('a cluster makes a topic some time after it was asked for: it is asked again, and everyone shares that', async () => {
  const { asked, metadata } = cluster(unknown, noLeader)
  const both = await Promise.all([metadata.fetch('t', true), metadata.fetch('t', true)])
  expect(both).toMatchObject([{ partitionCount: 2 }, { partitionCount: 2 }])
  expect(asked).toEqual([true, true, true])
})

test('who does not ask for it to be made is told at once; so is anyone of another error', async () => {
  const { asked, metadata } = cluster(unknown, protocolErrors.INVALID_TOPIC_EXCEPTION.code)
  await expect(metadata.fetch('t', false)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  await expect(metadata.fetch('t', true)).rejects.toMatchObject({ code: 'INVALID_TOPIC_EXCEPTION' })
  expect(asked).toEqual([false, true])
})
