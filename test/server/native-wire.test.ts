import { describe, expect, test } from 'vitest'
import type { Frame } from '../../ts/server/wire.js'
import { framed, Rig, turn } from './native-wire-harness.js'

const text = (frame: Frame | null): string | null => (frame === null ? null : Buffer.concat(frame.chunks).toString())
const large = (letter: string): string => letter.repeat(2000)

describe('what comes over a native wire', () => {
  test('is there as requests, in order, when its connection is told', () => {
    const { wire, owner, fake } = new Rig()
    fake.receive(1, framed('one', 'two').subarray(0, 9))
    fake.deliver()
    expect([owner.receivedBytes, wire.frames.bytes]).toEqual([9, 9])
    expect(text(wire.frames.next())).toBe('one')
    expect([wire.frames.next(), wire.frames.bytes]).toEqual([null, 2])
    fake.receive(1, Buffer.concat([framed('one', 'two').subarray(9), framed('', 'four')]))
    fake.deliver()
    expect([1, 2, 3, 4].map(() => text(wire.frames.next()))).toEqual(['two', '', 'four', null])
    expect(wire.frames.bytes).toBe(0)
    expect(owner.told).toEqual(['received', 'received'])
  })

  test('is told in parts where it is too much for one event', () => {
    const rig = new Rig()
    rig.fake.framesPerEvent = 2
    const bodies = ['one', 'two', 'three', 'four', 'five']
    const taken: (string | null)[][] = []
    rig.owner.onReceived = (bytes) => {
      rig.owner.receivedBytes += bytes
      taken.push([])
      for (let frame = rig.wire.frames.next(); frame !== null; frame = rig.wire.frames.next()) {
        taken.at(-1)!.push(text(frame))
      }
    }
    rig.receive(framed(...bodies))
    expect(taken).toEqual([['one', 'two'], ['three', 'four'], ['five']])
    expect([rig.wire.frames.bytes, rig.owner.receivedBytes]).toEqual([0, framed(...bodies).length])
  })

  test('keeps little alive that came with it: all but produces is copied out of much', () => {
    const rig = new Rig()
    const [produce, fetch] = [Buffer.from([0, 0, 0, 9]), Buffer.from([0, 1, 0, 9])]
    const much = Array.from({ length: 30 }, () => Buffer.alloc(900, 1))
    rig.receive(framed(produce, fetch, ...much))
    const kept = [0, 1].map(() => rig.wire.frames.next()!.chunks[0]!.buffer.byteLength)
    expect(kept[0]).toBeGreaterThan(20_000)
    expect(kept[1]).toBeLessThanOrEqual(16 * 1024)
  })

  test('comes with the addresses of both ends, after the socket was let go', () => {
    const rig = new Rig()
    expect([rig.wire.clientHost, rig.wire.localAddress]).toEqual(['192.0.2.1', '192.0.2.2'])
    expect(rig.isSocketDestroyed).toBe(true)
  })

  test('tells the key of the next request, whole or not', () => {
    const rig = new Rig()
    const { frames } = rig.wire
    expect(frames.peekKey()).toBe(-1)
    rig.receive(framed(Buffer.from([0, 3, 0, 0]), Buffer.from([0xff, 0xfe]), Buffer.from([0])))
    expect(frames.peekKey()).toBe(3)
    frames.next()
    expect(frames.peekKey()).toBe(-2)
    frames.next()
    expect(frames.peekKey()).toBe(-1)
    frames.next()
    rig.receive(framed(Buffer.from([0, 9, 0, 0])).subarray(0, 5))
    expect(frames.peekKey()).toBe(-1)
    rig.receive(framed(Buffer.from([0, 9, 0, 0])).subarray(5, 6))
    expect(frames.peekKey()).toBe(9)
  })

  test('tells its first bytes as long as there was no request', () => {
    const rig = new Rig()
    expect(rig.wire.frames.head()).toHaveLength(0)
    rig.receive(Buffer.from('GE'))
    expect(String(rig.wire.frames.head())).toBe('GE')
    rig.receive(Buffer.from('T / HTTP/1.1\r\n'))
    expect(Buffer.from(rig.wire.frames.head()).toString()).toBe('GET / HTTP/1.1\r\n')
  })

  test('is cut no further at a length that cannot be one, and what follows is dropped', () => {
    const rig = new Rig()
    const { wire, owner } = rig
    rig.receive(Buffer.concat([framed('one'), Buffer.from('7fffffff', 'hex')]))
    expect(text(wire.frames.next())).toBe('one')
    expect(() => wire.frames.next()).toThrow(/announces 2147483647 bytes, socket\.request\.max\.bytes is 10000/)
    expect(wire.frames.peekKey()).toBe(-1)
    expect(rig.far.isPaused).toBe(false)
    rig.receive(framed('two'))
    expect(wire.frames.clear()).toBe(4 + 7)
    expect(owner.receivedBytes).toBe(7 + 4 + 7)
    rig.fake.end(1)
    rig.fake.deliver()
    expect(owner.told.at(-1)).toBe('ended')
  })

  test('is not read for while it is paused, not even to be dropped', () => {
    const rig = new Rig()
    rig.wire.pause()
    rig.receive(Buffer.from('ffffffff', 'hex'))
    expect(rig.far.isPaused).toBe(true)
    rig.wire.resume()
    expect(rig.far.isPaused).toBe(false)
  })
})

describe('memory of large requests', () => {
  test('is given back when they are done, in whatever order', () => {
    const rig = new Rig()
    rig.receive(framed('small', large('a'), large('b')))
    const [small, a, b] = [rig.wire.frames.next()!, rig.wire.frames.next()!, rig.wire.frames.next()!]
    expect([text(a), text(b)]).toEqual([large('a'), large('b')])
    expect(rig.fake.blocks.size).toBe(2)
    for (const frame of [b, small, a]) rig.wire.frames.done(frame)
    expect([rig.fake.blocks.size, rig.fake.freed]).toEqual([0, 2])
  })

  test('is given back at the end of the connection, that of a running one when it is done', () => {
    const rig = new Rig()
    rig.receive(framed(large('a'), large('b'), large('c')))
    const running = rig.wire.frames.next()!
    rig.wire.destroy()
    expect(rig.wire.frames.clear()).toBe(2 * 2004)
    expect(rig.fake.freed).toBe(2)
    expect(text(running)).toBe(large('a'))
    rig.wire.frames.done(running)
    expect([rig.fake.blocks.size, rig.fake.freed]).toEqual([0, 3])
  })
})

describe('a native wire ends', () => {
  test('when both ends are closed, whichever was first', async () => {
    for (const isOurs of [true, false]) {
      const rig = new Rig()
      if (isOurs) rig.wire.end()
      rig.fake.end(1)
      rig.fake.deliver()
      expect(rig.wire.isDestroyed).toBe(isOurs)
      if (!isOurs) rig.wire.end()
      expect(rig.wire.isEnded).toBe(true)
      expect(rig.far.isClosed).toBe(true)
      expect(rig.owner.told).toEqual(['ended'])
      await turn()
      expect(rig.owner.told).toEqual(['ended', 'closed'])
    }
  })

  test('behind what was sent, and what was with the transfer', async () => {
    const rig = new Rig()
    rig.far.room = 3
    rig.wire.sender.send([Buffer.from('answer')])
    rig.wire.end()
    expect(rig.wire.isEnded).toBe(true)
    await turn()
    expect(rig.far.isEnded).toBe(false)
    rig.move(2)
    expect(rig.far.isEnded).toBe(false)
    rig.move(1)
    expect(rig.far.isEnded).toBe(true)
    expect(String(rig.far.output)).toBe('answer')
  })

  test('when it is lost, once', async () => {
    const rig = new Rig()
    rig.far.room = 0
    rig.wire.sender.send([Buffer.from('answer')])
    await turn()
    rig.fake.stop(1, 3)
    rig.fake.lose(1, 104)
    rig.fake.deliver()
    rig.wire.destroy()
    await turn()
    expect(rig.owner.told).toEqual([expect.stringMatching(/^lost/), 'closed'])
    expect([rig.wire.isDestroyed, rig.far.isClosed]).toEqual([true, true])
    expect(rig.room.blocked).toBe(0)
  })

  test('with the reason why it was lost', () => {
    const rig = new Rig()
    rig.fake.lose(1, 104)
    rig.fake.deliver()
    expect(rig.owner.told).toEqual(['lost: ECONNRESET'])
  })

  test('from our side at once, and nothing more of it is asked of the addon', async () => {
    const rig = new Rig()
    rig.wire.sender.send([Buffer.from('dropped')])
    rig.wire.destroy()
    rig.wire.pause()
    rig.wire.resume()
    rig.wire.end()
    rig.wire.sender.send([Buffer.from('dropped too')])
    await turn()
    expect(rig.owner.told).toEqual(['closed'])
    expect(rig.far.output).toHaveLength(0)
  })
})
