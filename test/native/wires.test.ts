import { describe, expect, test } from 'vitest'
import type { Segment } from '../../ts/native/engine.js'
import { SendList, type WireEvent, Wires } from '../../ts/native/wires.js'
import { FakeWires } from './fake-wires.js'

function framed(...bodies: string[]): Buffer {
  return Buffer.concat(
    bodies.flatMap((body) => {
      const length = Buffer.alloc(4)
      length.writeInt32BE(body.length)
      return [length, Buffer.from(body)]
    }),
  )
}

function started() {
  const fake = new FakeWires()
  const wires = new Wires(fake)
  const events: [wire: number, event: WireEvent][] = []
  let adopted = 0
  const adopt = () => {
    const number = ++adopted
    return wires.adopt(7, 5000, (event) => events.push([number, event]))
  }
  const texts = () => events.map(([wire, { frames }]) => [wire, ...frames.map(({ chunks }) => String(chunks[0]))])
  return { fake, wires, events, adopt, texts }
}

describe('events of wires', () => {
  test('come to the wire they are of, with their frames, from the chunk and from blocks', () => {
    const { fake, adopt, texts, events } = started()
    adopt()
    adopt()
    const large = 'x'.repeat(2000)
    fake.receive(2, framed('one', 'two', large))
    fake.receive(1, framed('three'))
    fake.deliver()
    expect(texts()).toEqual([
      [1, 'three'],
      [2, 'one', 'two', large],
    ])
    expect(events[1]![1].frames.map(({ block }) => block !== undefined)).toEqual([false, false, true])
    expect(events.map(([, { receivedBytes }]) => receivedBytes)).toEqual([9, 14 + 2004])
  })

  test('may hold nothing but what is empty', () => {
    const { fake, adopt, texts, events } = started()
    adopt()
    fake.receive(1, Buffer.alloc(0))
    fake.deliver()
    fake.receive(1, framed(''))
    fake.deliver()
    expect([events[0]![1].head, texts()[1]]).toEqual([Buffer.alloc(0), [1, '']])
  })

  test('tell the first bytes until a frame is whole', () => {
    const { fake, adopt, events } = started()
    adopt()
    fake.receive(1, Buffer.from('GE'))
    fake.deliver()
    fake.receive(1, Buffer.from('T / HTTP/1.1\r\n\r\n'))
    fake.deliver()
    expect(events.map(([, { head }]) => String(head))).toEqual(['GE', 'GET / HTTP/1.1\r\n'])
    expect(events.map(([, { badLength }]) => badLength)).toEqual([null, 0x47455420])
  })

  test('tell the end, the loss with its reason, and how the transfer ended', () => {
    const { fake, adopt, events } = started()
    adopt()
    fake.end(1)
    for (const detail of [0, 1, 2, 3]) fake.stop(1, detail)
    fake.lose(1, 104)
    fake.deliver()
    const told = events.map(([, { hasEnded, sent, lost }]) => [hasEnded, sent, (lost as NodeJS.ErrnoException)?.code])
    expect(told).toEqual([
      [true, null, undefined],
      [false, 'all', undefined],
      [false, 'segmentClosed', undefined],
      [false, 'cutShort', undefined],
      [false, 'lost', undefined],
      [false, null, 'ECONNRESET'],
    ])
  })

  test('of a wire that another closes within the same delivery go nowhere, and their blocks back', () => {
    const { fake, wires, texts } = started()
    const other = wires.adopt(7, 5000, () => last.close())
    const last = wires.adopt(7, 5000, () => {
      throw new Error('an event of a wire that is closed')
    })
    fake.receive(1, framed('one'))
    fake.receive(2, framed('x'.repeat(2000)))
    fake.deliver()
    expect([fake.blocks.size, fake.freed]).toEqual([0, 1])
    expect(texts()).toEqual([])
    last.close()
    other.close()
    other.close()
  })

  test('are not lost by what a listener of others throws', async () => {
    const { fake, wires, adopt, texts } = started()
    wires.adopt(7, 5000, () => {
      throw new Error('of a listener')
    })
    adopt()
    const thrown = new Promise<unknown>((resolve) => {
      const others = process.listeners('uncaughtException')
      process.removeAllListeners('uncaughtException')
      process.once('uncaughtException', (error) => {
        for (const other of others) process.on('uncaughtException', other)
        resolve(error)
      })
    })
    fake.receive(1, framed('one'))
    fake.receive(2, framed('two'))
    fake.deliver()
    expect(texts()).toEqual([[1, 'two']])
    expect(await thrown).toMatchObject({ message: 'of a listener' })
  })
})

test('a wire tells how it stands, and still does when it is closed', () => {
  const { fake, adopt } = started()
  const wire = adopt()
  fake.receive(1, Buffer.from('000000ff0009', 'hex'))
  expect(wire.unfinishedKey).toBe(9)
  const list = new SendList()
  list.addBytes(Buffer.from('hello'))
  expect(wire.send(list, false)).toBe(true)
  expect(wire.sentBytes).toBe(5)
  wire.close()
  expect(wire.sentBytes).toBe(5)
})

test('the counts have names', () => {
  const { wires } = started()
  expect(wires.counts()).toEqual({
    ...{ loopBytes: 1, copiedBytes: 2, sendfileBytes: 3, prefetches: 4, loopSends: 5, transferCalls: 6 },
    ...{ receivedBytes: 7, receives: 8, blockBytes: 9, wires: 10 },
  })
})

test('only segments of the engine can be sent from', () => {
  expect(() => new SendList().addRange({} as Segment, 0, 1)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  )
})
