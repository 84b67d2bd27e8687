import { connect, createServer, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { FileRegion } from '../../ts/protocol/file-region.js'
import { CopyingSender } from '../../ts/server/copying-sender.js'
import { SendingRoom } from '../../ts/server/sending-room.js'
import { eventually } from './harness.js'

/** Two ends of a connection; `near` is the server's. */
async function pair(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: 64 * 1024 })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  const far = connect((server.address() as { port: number }).port, '127.0.0.1')
  const near = await accepted
  onTestFinished(() => {
    near.destroy()
    far.destroy()
    server.close()
  })
  return { near, far }
}

class Region implements FileRegion {
  released = 0
  reads: [number, number][] = []

  constructor(
    readonly bytes: Buffer,
    readonly how: 'at once' | 'later' | 'fails' | 'ends early',
  ) {}

  get length(): number {
    return this.bytes.length
  }

  read(from: number, to: number): Uint8Array | Promise<Uint8Array> {
    if (this.released > 0) throw new Error('read after release')
    this.reads.push([from, to])
    if (this.how === 'fails' && from > 0) return Promise.reject(new Error('disk'))
    const bytes = this.bytes.subarray(from, this.how === 'ends early' ? Math.min(to, 100_000) : to)
    return this.how === 'later' ? new Promise((resolve) => setImmediate(resolve, bytes)) : bytes
  }

  release(): void {
    this.released++
  }
}

class Owner {
  sent = 0
  failure: unknown = null

  onSent(): void {
    this.sent++
  }

  onSendFailed(error: unknown): void {
    this.failure = error
  }
}

function collect(far: Socket): { bytes: () => Buffer } {
  const chunks: Buffer[] = []
  far.on('data', (chunk) => chunks.push(chunk))
  return { bytes: () => Buffer.concat(chunks) }
}

const filled = (bytes: number, value: number): Buffer => Buffer.alloc(bytes, value)

describe('the sender', () => {
  test.each(['at once', 'later'] as const)('sends bytes and regions in their order (regions read %s)', async (how) => {
    const { near, far } = await pair()
    const received = collect(far)
    const sender = new CopyingSender(near, new Owner(), new SendingRoom())
    const regions = [
      new Region(filled(1_000_001, 2), how),
      new Region(filled(300, 4), how),
      new Region(filled(0, 0), how),
    ]
    const parts = [filled(10, 1), regions[0], filled(20, 3), regions[1], regions[2], filled(5, 5)]
    sender.send(parts)
    sender.send([filled(7, 6)])
    const expected = Buffer.concat([
      filled(10, 1),
      filled(1_000_001, 2),
      filled(20, 3),
      filled(300, 4),
      filled(5, 5),
      filled(7, 6),
    ])
    await eventually(() => received.bytes().length === expected.length)
    expect(received.bytes().equals(expected)).toBe(true)
    expect(regions.map(({ released }) => released)).toEqual([1, 1, 1])
    expect(regions[0].reads.every(([from, to]) => to - from <= 256 * 1024)).toBe(true)
    expect(sender.isIdle).toBe(true)
    expect(sender.sentBytes).toBe(expected.length)
  })

  test('reads no further while the other end takes nothing', async () => {
    const { near, far } = await pair()
    far.pause()
    const owner = new Owner()
    const sender = new CopyingSender(near, owner, new SendingRoom())
    const region = new Region(filled(64 * 1024 * 1024, 1), 'at once')
    sender.send([region])
    await eventually(() => near.writableNeedDrain && region.reads.length > 1)
    for (let i = 0; i < 50; i++) await new Promise(setImmediate)
    expect(sender.isBlocked).toBe(true)
    expect(region.reads.length).toBeLessThan(100)
    expect(near.writableLength).toBeLessThanOrEqual(256 * 1024 + 64 * 1024)
    expect(owner.sent).toBe(0)
    far.on('data', () => {})
    far.resume()
    await eventually(() => sender.isIdle && owner.sent > 0)
    expect(region.released).toBe(1)
  })

  test.each(['at once', 'later'] as const)('releases what it will not send (regions read %s)', async (how) => {
    const { near, far } = await pair()
    far.pause()
    const sender = new CopyingSender(near, new Owner(), new SendingRoom())
    const regions = [new Region(filled(64 * 1024 * 1024, 1), how), new Region(filled(10, 1), how)]
    sender.send(regions)
    sender.close()
    expect(regions.map(({ released }) => released)).toEqual([1, 1])
    const late = new Region(filled(10, 1), how)
    sender.send([filled(1, 1), late])
    expect(late.released).toBe(1)
    // A read that was under way ends in nothing.
    for (let i = 0; i < 10; i++) await new Promise(setImmediate)
    expect(regions.map(({ released }) => released)).toEqual([1, 1])
  })

  test.each(['fails', 'ends early'] as const)(
    'tells its owner of a region that %s, and sends nothing more',
    async (how) => {
      const { near, far } = await pair()
      const received = collect(far)
      const owner = new Owner()
      const sender = new CopyingSender(near, owner, new SendingRoom())
      const [bad, behind] = [new Region(filled(1_000_000, 1), how), new Region(filled(10, 2), 'at once')]
      sender.send([bad, behind, filled(10, 3)])
      await eventually(() => owner.failure !== null)
      expect([bad.released, behind.released]).toEqual([1, 1])
      near.destroySoon()
      await new Promise((resolve) => far.once('close', resolve))
      expect(received.bytes().every((byte) => byte === 1)).toBe(true)
    },
  )

  test('makes smaller pieces the more connections wait for a slow end', async () => {
    const room = new SendingRoom()
    expect(room.pieceBytes).toBe(256 * 1024)
    const { near, far } = await pair()
    far.pause()
    const sender = new CopyingSender(near, new Owner(), room)
    sender.send([new Region(filled(64 * 1024 * 1024, 1), 'at once')])
    expect(room.blocked).toBe(1)
    await eventually(() => near.writableNeedDrain)
    room.blocked += 1023
    expect(room.pieceBytes).toBe(64 * 1024)
    room.blocked += 100_000
    expect(room.pieceBytes).toBe(16 * 1024)
    sender.close()
    sender.close()
    expect(room.blocked).toBe(101_023)
  })

  test('writes what is sent within one turn together', async () => {
    const { near, far } = await pair()
    const received = collect(far)
    const sender = new CopyingSender(near, new Owner(), new SendingRoom())
    const writes: number[] = []
    const writev = near._writev!.bind(near)
    near._writev = (chunks, callback) => {
      writes.push(chunks.length)
      writev(chunks, callback)
    }
    for (let i = 0; i < 64; i++) sender.send([filled(10, i)])
    await eventually(() => received.bytes().length === 640)
    expect(writes).toEqual([64])
  })
})
