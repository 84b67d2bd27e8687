import { expect, test } from 'vitest'
import { Producer } from '../../ts/client/producer.js'
import type { SendOptions } from '../../ts/client/producer-options.js'
import { RecordAccumulator } from '../../ts/client/record-accumulator.js'
import { TopicMetadataCache } from '../../ts/client/topic-metadata.js'
import { FakeTransport } from './fake-transport.js'

class RemoteFake extends FakeTransport {
  override readonly isRemote = true
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

// A broker knows a producer's last five batches for repetitions. One that was sent without an answer must stay among them.
test('while one batch is unanswered, no more than four behind it are sent, however many are answered', async () => {
  const transport = new RemoteFake()
  const metadata = new TopicMetadataCache(transport)
  const accumulator = (settings: SendOptions) => new RecordAccumulator(transport, metadata, settings)
  const producer = new Producer({ metadata, isRemote: true, accumulator }, {})
  const sends: Promise<unknown>[] = []
  for (let n = 0; n < 12; n++) {
    sends.push(producer.send({ topic: 't', messages: [`value ${n}`] }))
    for (let i = 0; i < 5; i++) await turn()
    // The first of a session is to be stored before another leaves; it is the second that stays without an answer.
    const answered = transport.seen.filter((_, index) => index !== 1)
    for (const batch of answered) batch.answer({ baseOffset: BigInt(n) })
    for (let i = 0; i < 5; i++) await turn()
  }
  expect(transport.seen.map(({ baseSequence }) => baseSequence)).toEqual([0, 1, 2, 3, 4, 5])
  for (let round = 0; round < 10; round++) {
    for (const batch of transport.seen) batch.answer({ baseOffset: 0n })
    for (let i = 0; i < 5; i++) await turn()
  }
  await Promise.all(sends)
  expect(transport.seen.length).toBeGreaterThan(6)
})
