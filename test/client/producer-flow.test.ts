import { setTimeout } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { Producer } from '../../ts/client/producer.js'
import type { ProducerOptions, SendOptions } from '../../ts/client/producer-options.js'
import { RecordAccumulator } from '../../ts/client/record-accumulator.js'
import { TopicMetadataCache } from '../../ts/client/topic-metadata.js'
import { protocolErrors } from '../../ts/protocol/errors.js'
import { FakeTransport } from './fake-transport.js'
import { rejection } from './rejection.js'
import { openTarget } from './target.js'

function fakeProducer(options: ProducerOptions = {}, partitions = 1) {
  const transport = new FakeTransport(partitions)
  const metadata = new TopicMetadataCache(transport)
  const accumulator = (settings: SendOptions) => new RecordAccumulator(transport, metadata, settings)
  const producer = new Producer({ metadata, isRemote: false, accumulator }, options)
  const send = (...messages: string[]) => producer.send({ topic: 't', messages })
  return { transport, producer, send }
}

/** Producers that share an accumulator, as those of one log do. */
function fakeProducers(count: number, options: ProducerOptions = {}) {
  const transport = new FakeTransport()
  const metadata = new TopicMetadataCache(transport)
  const onUnused = vi.fn()
  let shared: RecordAccumulator | undefined
  const accumulator = (settings: SendOptions) => {
    shared ??= new RecordAccumulator(transport, metadata, settings, onUnused)
    return shared
  }
  const producers = Array.from(
    { length: count },
    () => new Producer({ metadata, isRemote: false, accumulator }, options),
  )
  return { transport, producers, onUnused }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('batching', () => {
  test('sends of one turn share a batch, the next turn makes another', async () => {
    const { transport, send } = fakeProducer()
    const first = [send('a'), send('b', 'c')]
    await turn()
    const second = send('d')
    await turn()
    expect(transport.seen.map(({ values }) => values)).toEqual([['a', 'b', 'c'], ['d']])
    transport.seen[0].answer({ baseOffset: 10n })
    transport.seen[1].answer({ baseOffset: 13n })
    expect((await first[0])[0]).toMatchObject({ baseOffset: 10n, count: 1 })
    expect((await first[1])[0]).toMatchObject({ baseOffset: 11n, count: 2 })
    expect((await second)[0]).toMatchObject({ baseOffset: 13n, count: 1 })
  })

  test('a batch leaves before the turn ends when it is full', () => {
    const { transport, send } = fakeProducer({ batchSize: 200 })
    for (let n = 0; n < 3; n++) send('x'.repeat(50))
    expect(transport.seen.map(({ values }) => values.length)).toEqual([2])
  })

  test('with linger a batch waits for company', async () => {
    const { transport, send, producer } = fakeProducer({ linger: 60_000 })
    send('a')
    await turn()
    send('b')
    await turn()
    expect(transport.seen).toEqual([])
    const flushed = producer.flush()
    expect(transport.seen.map(({ values }) => values)).toEqual([['a', 'b']])
    transport.seen[0].answer()
    await flushed
  })

  test('linger ends by itself', async () => {
    const { transport, send } = fakeProducer({ linger: 1 })
    send('a')
    while (transport.seen.length === 0) await turn()
    expect(transport.seen[0].values).toEqual(['a'])
  })

  test('records with other acks do not share a batch', async () => {
    const { transport, producer } = fakeProducer()
    producer.send({ topic: 't', messages: ['a'], acks: 1 })
    producer.send({ topic: 't', messages: ['b'], acks: 'all' })
    await turn()
    expect(transport.seen.map(({ acks, values }) => [acks, ...values])).toEqual([
      [1, 'a'],
      [-1, 'b'],
    ])
  })

  test('a send over several batches gives one result', async () => {
    const { transport, send } = fakeProducer({ batchSize: 200 })
    const result = send(...Array.from({ length: 4 }, () => 'x'.repeat(50)))
    await turn()
    expect(transport.seen).toHaveLength(2)
    // Answers may come in any order.
    transport.seen[1].answer({ baseOffset: 2n })
    transport.seen[0].answer({ baseOffset: 0n })
    expect(await result).toEqual([expect.objectContaining({ baseOffset: 0n, count: 4 })])
  })
})

describe('flush', () => {
  test('waits for what was sent before it, not for what comes after', async () => {
    const { transport, send, producer } = fakeProducer()
    send('a')
    const flushed = producer.flush()
    send('b')
    await turn()
    let isFlushed = false
    flushed.then(() => {
      isFlushed = true
    })
    transport.seen[1].answer()
    await turn()
    expect(isFlushed).toBe(false)
    transport.seen[0].answer()
    await flushed
  })

  test('resolves after a failure too', async () => {
    const { transport, send, producer } = fakeProducer()
    const failed = rejection(send('a'))
    const flushed = producer.flush()
    transport.seen[0].answer({ errorCode: protocolErrors.NOT_ENOUGH_REPLICAS.code })
    await flushed
    expect(await failed).toMatchObject({ code: 'NOT_ENOUGH_REPLICAS', retriable: true })
  })

  test('what waited for room when it began does not linger', async () => {
    const { transport, send, producer } = fakeProducer({ linger: 60_000, batchSize: 200, bufferBytes: 1024 })
    for (let n = 0; n < 24; n++) send('x'.repeat(50))
    const flushed = producer.flush()
    for (let answered = 0; answered < 24; ) {
      while (transport.seen.length === 0) await turn()
      const batch = transport.seen.shift()!
      batch.answer()
      answered += batch.values.length
    }
    await flushed
    send('lingers')
    await turn()
    expect(transport.seen).toEqual([])
  })

  test('several flushes share the wait', async () => {
    const { transport, send, producer } = fakeProducer()
    send('a')
    const flushes = [producer.flush(), producer.flush()]
    transport.seen[0].answer()
    await Promise.all(flushes)
    await producer.flush()
  })
})

describe('back-pressure', () => {
  test('sends wait when the buffer is full, and go on in order when there is room', async () => {
    const { transport, send } = fakeProducer({ batchSize: 200, bufferBytes: 1024 })
    const sends = Array.from({ length: 40 }, (_, n) => send(`${n} ${'x'.repeat(50)}`))
    await turn()
    expect(transport.seen.length).toBeLessThan(10)
    let answered = 0
    for (let at = 0; answered < sends.length; at++) {
      while (transport.seen.length === at) await turn()
      transport.seen[at].answer({ baseOffset: BigInt(answered) })
      answered += transport.seen[at].values.length
    }
    const results = await Promise.all(sends)
    expect(results.map(([{ baseOffset }]) => baseOffset)).toEqual(results.map((_, n) => BigInt(n)))
    expect(transport.seen.flatMap(({ values }) => values.map((value) => Number.parseInt(value, 10)))).toEqual(
      results.map((_, n) => n),
    )
  })

  test('batches that leave when they are compressed make room too', async () => {
    const log = await openTarget()
    await log.admin().createTopic({ topic: 't', partitions: 1 })
    const producer = log.producer({ acks: 1, compression: 'gzip', bufferBytes: 1024 })
    const send = (value: Buffer) => producer.send({ topic: 't', messages: [value] })
    // From the third append on answers come at once.
    for (let n = 0; n < 3; n++) await send(Buffer.alloc(1)).then(() => setTimeout(20))
    const results = await Promise.all([0, 1, 2].map(() => send(Buffer.alloc(4_000_000))))
    expect(results.map(([{ baseOffset }]) => baseOffset)).toEqual([3n, 4n, 5n])
  })

  test('producers that share the buffer take turns', async () => {
    const { transport, producers } = fakeProducers(2, { batchSize: 200, bufferBytes: 1024 })
    const [busy, other] = producers.map(
      (producer) => (text: string) => producer.send({ topic: 't', messages: [text.padEnd(150, '.')] }),
    )
    for (let n = 0; n < 50; n++) busy('busy')
    other('other')
    for (let at = 0; at < 51; at++) {
      while (transport.seen.length === at) await turn()
      transport.seen[at].answer()
    }
    const order = transport.seen.map(({ values: [value] }) => value.slice(0, 5))
    expect(order.indexOf('other')).toBeLessThan(20)
  })

  test('the waiting room has a limit', async () => {
    const { send } = fakeProducer({ batchSize: 200, bufferBytes: 1024, maxWaitingSends: 2 })
    const errors = Array.from({ length: 40 }, () => send('x'.repeat(150)).catch((error) => error))
    expect(await errors.at(-1)).toMatchObject({ code: 'BUFFER_FULL', retriable: true, topic: 't' })
  })

  test('waiting for room has a limit', async () => {
    const { send } = fakeProducer({ batchSize: 200, bufferBytes: 1024, timeout: 20 })
    const errors = Array.from({ length: 12 }, () => send('x'.repeat(150)).catch((error) => error))
    expect(await errors.at(-1)).toMatchObject({ code: 'TIMED_OUT', retriable: true })
  })

  test('a signal takes back a send that waits', async () => {
    const { transport, producer, send } = fakeProducer({ batchSize: 200, bufferBytes: 1024 })
    for (let n = 0; n < 12; n++) send('x'.repeat(150))
    const controller = new AbortController()
    const waiting = rejection(producer.send({ topic: 't', messages: ['taken back'], signal: controller.signal }))
    controller.abort(new Error('enough'))
    expect(await waiting).toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } })
    for (let at = 0; at < 12; at++) {
      while (transport.seen.length === at) await turn()
      transport.seen[at].answer()
    }
    await producer.flush()
    expect(transport.seen.flatMap(({ values }) => values)).not.toContain('taken back')
  })

  test('a signal ends the wait for an answer', async () => {
    const { transport, producer } = fakeProducer()
    const controller = new AbortController()
    const waiting = rejection(producer.send({ topic: 't', messages: ['a'], signal: controller.signal }))
    await turn()
    controller.abort()
    expect(await waiting).toMatchObject({ code: 'ABORTED' })
    transport.seen[0].answer()
    await producer.close()
  })

  test('an array of a million records leaves turns to others', async () => {
    const log = await openTarget()
    await log.admin().createTopic({ topic: 't', partitions: 1 })
    const messages = Array.from({ length: 1_000_000 }, () => 'v')
    let turns = 0
    const count = setInterval(() => turns++, 0)
    const [result] = await log.producer({ acks: 1 }).send({ topic: 't', messages })
    clearInterval(count)
    expect(result).toMatchObject({ baseOffset: 0n, count: 1_000_000 })
    expect(turns).toBeGreaterThan(2)
  })

  test('so do sends and reads that are awaited one by one', async () => {
    const log = await openTarget()
    await log.admin().createTopic({ topic: 't', partitions: 1 })
    const producer = log.producer({ acks: 1 })
    await producer.send({ topic: 't', messages: Array.from({ length: 200_000 }, () => 'v') })
    const turnsOf = async (work: () => Promise<void>) => {
      let turns = 0
      const count = setInterval(() => turns++, 0)
      await work()
      clearInterval(count)
      return turns
    }
    const sending = await turnsOf(async () => {
      const end = performance.now() + 100
      while (performance.now() < end) await producer.send({ topic: 't', messages: ['v'] })
    })
    const consumer = log.consumer()
    await consumer.subscribe(['t'], { from: 'earliest' })
    const reading = await turnsOf(async () => {
      for await (const { offset } of consumer) if (offset === 199_999n) break
    })
    expect(sending).toBeGreaterThan(2)
    expect(reading).toBeGreaterThan(2)
  })
})

test('a loop of sends that are answered at once leaves readers and timers their turns', async () => {
  const log = await openTarget()
  await log.admin().createTopic({ topic: 't', partitions: 2 })
  let isOver = false
  let sent = 0
  const writing = (async () => {
    for (; !isOver; sent++) {
      const producer = log.producer({ acks: 1 })
      await producer.send({ topic: 't', messages: [0, 1].map((partition) => ({ value: 'v', partition })) })
      await producer.close()
    }
  })()
  let turns = 0
  const timer = setInterval(() => turns++, 0)
  const readers = [0, 1].map(async (partition) => {
    const consumer = log.consumer()
    await consumer.assign([{ topic: 't', partition, offset: 0n }])
    for await (const { offset } of consumer) if (offset === 500n) break
  })
  await Promise.all(readers)
  clearInterval(timer)
  isOver = true
  await writing
  expect(turns).toBeGreaterThan(2)
  // A reader that finds every turn used up comes to the record long after a hundred thousand others were sent.
  expect(sent).toBeLessThan(50_000)
})

describe('a shared accumulator', () => {
  test('is let go with the last of its producers', async () => {
    const { producers, onUnused } = fakeProducers(2)
    await producers[0].close()
    await producers[0].close()
    expect(onUnused).not.toHaveBeenCalled()
    await producers[1].close()
    expect(onUnused).toHaveBeenCalledOnce()
  })

  test("fails no producer for another's timestamp", async () => {
    const log = await openTarget()
    await log.admin().createTopic({ topic: 't', partitions: 1 })
    const [first, second] = [log.producer(), log.producer()]
    const refused = rejection(first.send({ topic: 't', messages: [{ value: 'a', timestamp: Date.now() + 9e9 }] }))
    const [stored] = await second.send({ topic: 't', messages: ['b'] })
    expect(await refused).toMatchObject({ code: 'INVALID_TIMESTAMP' })
    expect(stored).toMatchObject({ baseOffset: 0n, count: 1 })
  })
})

describe('idempotent', () => {
  test('numbers batches per partition', async () => {
    const { transport, producer } = fakeProducer(
      { idempotent: true, partitioner: ({ message }) => Number(message.key) },
      2,
    )
    const send = (key: string, ...values: string[]) =>
      producer.send({ topic: 't', messages: values.map((value) => ({ key, value })) })
    send('0', 'a', 'b')
    send('1', 'c')
    await turn()
    send('0', 'd')
    await turn()
    expect(transport.seen.map(({ partition, baseSequence }) => [partition, baseSequence])).toEqual([
      [0, 0],
      [1, 0],
      [0, 2],
    ])
    expect(new Set(transport.seen.map(({ producerId }) => producerId))).toEqual(new Set([1]))
  })

  test('takes a new id after a loss, once nothing is on its way under the old one', async () => {
    const { transport, send } = fakeProducer({ idempotent: true })
    const sends = ['a', 'b'].map((value) => {
      const sent = send(value)
      return turn().then(() => sent.catch((error) => error.code))
    })
    await turn()
    await turn()
    expect(transport.seen.map(({ values }) => values.join())).toEqual(['a,b'])
    transport.seen[0].answer({ errorCode: protocolErrors.NOT_ENOUGH_REPLICAS.code })
    expect(await Promise.all(sends)).toEqual(['NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS'])
    send('c')
    await turn()
    expect(transport.seen[1]).toMatchObject({ values: ['c'], producerId: 2, baseSequence: 0 })
  })

  test('takes no send that asks for less than all acks', async () => {
    const { transport, producer } = fakeProducer({ idempotent: true })
    const refused = { code: 'INVALID_OPTION', key: 'acks' }
    expect(await rejection(producer.send({ topic: 't', messages: ['a'], acks: 0 }))).toMatchObject(refused)
    expect(await rejection(producer.send({ topic: 't', messages: ['a'], acks: 1 }))).toMatchObject(refused)
    producer.send({ topic: 't', messages: ['b'], acks: -1 })
    await turn()
    expect(transport.seen.map(({ values }) => values)).toEqual([['b']])
  })

  test('works against the broker', async () => {
    const log = await openTarget()
    const producer = log.producer({ idempotent: true, batchSize: 512 })
    const results = []
    for (let round = 0; round < 20; round++) {
      results.push(
        ...(await producer.send({ topic: 't', messages: Array.from({ length: 50 }, (_, n) => `${round} ${n}`) })),
      )
    }
    expect(results.reduce((sum, { count }) => sum + count, 0)).toBe(1000)
  })
})
