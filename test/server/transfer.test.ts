import { connect, createServer, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openEngine } from '../../ts/native/open-engine.js'
import { Wires } from '../../ts/native/wires.js'
import { apiKey } from '../../ts/protocol/apis.js'
import { NodeWire } from '../../ts/server/node-wire.js'
import { SendingRoom } from '../../ts/server/sending-room.js'
import { WireSource } from '../../ts/server/wire-source.js'
import { valuesOf } from '../broker/harness.js'
import { FakeWires } from '../native/fake-wires.js'
import { byName, clientBatch, eventually, fetchOf, frameOf, produceOf, TestServer } from './harness.js'
import { Owner } from './native-wire-harness.js'

const hasNative = openEngine().wires !== null

async function started(transfer: 'auto' | 'always' | 'off'): Promise<TestServer> {
  const server = await TestServer.start({ config: { 'seglog.transfer': transfer } })
  await server.createTopic('orders')
  return server
}

const values = Array.from({ length: 150 }, (_, i) => `${i} ${'x'.repeat(5000)}`)

/** Writes about 750 KiB, and reads them in one answer. */
async function writeAndRead(server: TestServer): Promise<void> {
  const client = await server.connect()
  await client.ask(apiKey.produce, produceOf('orders', clientBatch(...values)), byName.produce)
  const { responses } = await client.ask(apiKey.fetch, fetchOf('orders', 0), byName.fetch)
  expect(valuesOf(responses[0].partitions[0].records)).toEqual(values)
}

describe('seglog.transfer', () => {
  test("off: connections are Node's", async () => {
    const server = await started('off')
    await writeAndRead(server)
    expect(server.server.transfer).toEqual({ choice: 'off', nativeWires: 0, nodeWires: 2, counts: null })
  })

  test.each(hasNative ? (['off', 'auto', 'always'] as const) : (['off'] as const))(
    '%s: who asks for little and closes its end gets the answer, and then the end',
    async (transfer) => {
      const server = await started(transfer)
      const client = await server.connect({ allowHalfOpen: true })
      await client.ask(apiKey.produce, produceOf('orders', clientBatch('one')), byName.produce)
      client.socket.end(frameOf(apiKey.fetch, fetchOf('orders', 0), byName.fetch))
      const { response } = await client.answer(apiKey.fetch, byName.fetch)
      expect(valuesOf(response.responses[0].partitions[0].records)).toEqual(['one'])
      await client.closed
    },
  )

  describe.runIf(hasNative)('where the platform has native connections', () => {
    test('auto: they are native, and records from files pass the process by', async () => {
      const server = await started('auto')
      const before = server.server.transfer.counts!
      await writeAndRead(server)
      // Counted by the transfer's thread, perhaps after the client has read it.
      await eventually(() => server.server.transfer.counts!.sendfileBytes - before.sendfileBytes > 700_000)
      const { counts, ...rest } = server.server.transfer
      expect(rest).toEqual({ choice: 'auto', nativeWires: 2, nodeWires: 0 })
      expect(counts!.loopSends).toBeGreaterThan(before.loopSends)
      expect(counts!.receivedBytes - before.receivedBytes).toBeGreaterThan(700_000)
    })

    test('auto: small answers leave at once, with their records', async () => {
      const server = await started('auto')
      const client = await server.connect()
      await client.ask(apiKey.produce, produceOf('orders', clientBatch('one')), byName.produce)
      const before = server.server.transfer.counts!
      const { responses } = await client.ask(apiKey.fetch, fetchOf('orders', 0), byName.fetch)
      expect(valuesOf(responses[0].partitions[0].records)).toEqual(['one'])
      const { transferCalls, sendfileBytes, loopSends } = server.server.transfer.counts!
      expect([transferCalls - before.transferCalls, sendfileBytes - before.sendfileBytes]).toEqual([0, 0])
      expect(loopSends - before.loopSends).toBe(1)
    })

    test('answers of requests that came together leave together', async () => {
      const server = await started('auto')
      const client = await server.connect()
      // It opens the partition.
      await client.ask(apiKey.produce, produceOf('orders', clientBatch('first')), byName.produce)
      const before = server.server.transfer.counts!
      const frames = Array.from({ length: 64 }, (_, i) =>
        frameOf(apiKey.produce, produceOf('orders', clientBatch(`${i}`)), byName.produce, i),
      )
      client.socket.write(Buffer.concat(frames))
      for (let i = 0; i < 64; i++) expect((await client.answer(apiKey.produce, byName.produce)).id).toBe(i)
      const { loopSends, receives } = server.server.transfer.counts!
      // However they came, they left in no more pieces.
      expect(loopSends - before.loopSends).toBeLessThanOrEqual(receives - before.receives)
      expect(loopSends - before.loopSends).toBeLessThan(64)
    })

    test('memory of large requests is given back', async () => {
      const server = await started('auto')
      const client = await server.connect()
      const { blockBytes } = server.server.transfer.counts!
      const batch = clientBatch('x'.repeat(900_000))
      for (const acks of [1, -1, 0, 1]) {
        client.send(apiKey.produce, produceOf('orders', batch, acks), byName.produce)
        if (acks !== 0) await client.answer(apiKey.produce, byName.produce)
      }
      expect(server.server.transfer.counts!.blockBytes).toBe(blockBytes)
      // Also that of one whose rest never comes.
      const bytes = frameOf(apiKey.produce, produceOf('orders', batch), byName.produce)
      client.socket.write(bytes.subarray(0, 500_000))
      await eventually(() => server.server.transfer.counts!.blockBytes > blockBytes)
      client.socket.destroy()
      await eventually(() => server.server.transfer.counts!.blockBytes === blockBytes)
    })

    test('always: nothing leaves at once, and one record comes from its file too', async () => {
      const server = await started('always')
      const before = server.server.transfer.counts!
      const client = await server.connect()
      await client.ask(apiKey.produce, produceOf('orders', clientBatch('one')), byName.produce)
      const { responses } = await client.ask(apiKey.fetch, fetchOf('orders', 0), byName.fetch)
      expect(valuesOf(responses[0].partitions[0].records)).toEqual(['one'])
      await eventually(() => server.server.transfer.counts!.sendfileBytes > before.sendfileBytes)
      const { loopSends, sendfileBytes, copiedBytes } = server.server.transfer.counts!
      expect(loopSends).toBe(before.loopSends)
      expect(sendfileBytes - before.sendfileBytes).toBe(clientBatch('one').length)
      expect(copiedBytes).toBeGreaterThan(before.copiedBytes)
    })

    test('says at the end what the connections went over', async () => {
      const server = await started('auto')
      await writeAndRead(server)
      await server.running.close()
      const line = server.log.lines.find(({ message }) => /what the connections went over/.test(message))
      expect(line).toMatchObject({ level: 'debug', fields: { choice: 'auto', nativeWires: 2, nodeWires: 0 } })
    })
  })

  test('anything else is refused', async () => {
    const config = { 'seglog.transfer': 'sometimes' }
    await expect(TestServer.start({ config })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringMatching(/one of auto, always, off/),
    })
  })
})

describe('where the platform has no native connections', () => {
  test("auto takes Node's", async () => {
    const source = new WireSource('auto', null, 1000, new SendingRoom())
    expect(source.wantsPaused).toBe(false)
    expect(source.take(await accepted(), new Owner())).toBeInstanceOf(NodeWire)
    expect(source.status).toEqual({ choice: 'auto', nativeWires: 0, nodeWires: 1, counts: null })
  })

  test('always is an error', () => {
    expect(() => new WireSource('always', null, 1000, new SendingRoom())).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining('use auto or off') }),
    )
  })
})

test("a socket that the engine cannot take stays Node's, and is read from", async () => {
  const fake = new FakeWires()
  const source = new WireSource('auto', new Wires(fake), 1000, new SendingRoom())
  expect(source.wantsPaused).toBe(true)
  fake.wireAdopt = () => {
    throw Object.assign(new Error('no descriptor is left'), { code: 'TOO_MANY_OPEN_FILES' })
  }
  const owner = new Owner()
  const wire = source.take(await accepted('hello'), owner)
  expect(wire).toBeInstanceOf(NodeWire)
  await eventually(() => owner.receivedBytes === 5)
  fake.wireAdopt = () => {
    throw new Error('a fault')
  }
  const socket = await accepted()
  expect(() => source.take(socket, owner)).toThrow('a fault')
  expect(source.status).toMatchObject({ nativeWires: 0, nodeWires: 1 })
})

/** A paused socket whose other end has sent this. */
async function accepted(sent = ''): Promise<Socket> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const taken = new Promise<Socket>((resolve) => server.once('connection', resolve))
  const far = connect((server.address() as { port: number }).port, '127.0.0.1')
  far.write(sent)
  const socket = await taken
  onTestFinished(() => {
    socket.destroy()
    far.destroy()
    server.close()
  })
  return socket
}
