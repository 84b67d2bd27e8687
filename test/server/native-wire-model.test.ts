import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Part } from '../../ts/protocol/codec/frames.js'
import type { Frame } from '../../ts/server/wire.js'
import { blockFrameBytes } from '../native/fake-wires.js'
import { type CountedRegion, FakeSegment } from './fake-segments.js'
import { framed, Rig, turn } from './native-wire-harness.js'

const body = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 900, maxLength: 3000 }))

/** What happens on the receiving side; numbers choose by their remainder. */
const received = fc.oneof(
  fc.record({ what: fc.constant('come' as const), number: fc.integer({ min: 1, max: 2500 }) }),
  fc.record({ what: fc.constantFrom('tell' as const, 'take' as const, 'done' as const), number: fc.nat(1000) }),
)

test('whatever way requests come and are done with: all are there, in order, and each block is given back once', () => {
  fc.assert(
    fc.property(
      fc.array(body, { maxLength: 12, size: 'max' }),
      fc.array(received, { maxLength: 80, size: 'max' }),
      (bodies, steps) => {
        const rig = new Rig()
        rig.fake.framesPerEvent = 3
        const { frames } = rig.wire
        let rest = framed(...bodies)
        let told = 0
        let largeTold = 0
        const taken: Frame[] = []
        const running: Frame[] = []
        for (const { what, number } of steps) {
          if (what === 'come') {
            rig.fake.receive(1, rest.subarray(0, number))
            rest = rest.subarray(number)
          } else if (what === 'tell') {
            rig.fake.deliver()
            expect(frames.bytes).toBe(rig.owner.receivedBytes - told)
          } else if (what === 'take') {
            const frame = frames.next()
            if (frame === null) continue
            told += frame.sizeBytes + 4
            expect(Buffer.concat(frame.chunks).equals(bodies[taken.length]!)).toBe(true)
            expect(frame.block !== undefined).toBe(frame.sizeBytes > blockFrameBytes)
            if (frame.block !== undefined) largeTold++
            taken.push(frame)
            running.push(frame)
          } else if (running.length > 0) {
            frames.done(running.splice(number % running.length, 1)[0]!)
          }
        }
        rig.wire.destroy()
        const runningBlocks = running.filter(({ block }) => block !== undefined).length
        frames.clear()
        expect(rig.fake.blocks.size).toBe(runningBlocks)
        for (const frame of running) frames.done(frame)
        expect(rig.fake.blocks.size).toBe(0)
        expect(rig.fake.freed).toBeGreaterThanOrEqual(largeTold)
      },
    ),
  )
})

const contents = [1, 3].map((salt) => Buffer.from(Array.from({ length: 900_000 }, (_, i) => (i * salt) % 251)))
const part = fc.oneof(
  fc.record({ kind: fc.constant('bytes' as const), at: fc.nat(250), length: fc.integer({ min: 0, max: 30_000 }) }),
  fc.record({
    kind: fc.constantFrom('first' as const, 'second' as const),
    at: fc.nat(100_000),
    length: fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 50_000, max: 800_000 })),
  }),
)

const sent = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('answer' as const), parts: fc.array(part, { maxLength: 4 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('move' as const), bytes: fc.integer({ min: 1, max: 300_000 }) }),
  },
  fc.record({ what: fc.constant('room' as const), bytes: fc.nat(40_000) }),
  fc.record({
    what: fc.constantFrom('tell' as const, 'turn' as const, 'evict' as const, 'cold' as const),
    isFirst: fc.boolean(),
  }),
  {
    weight: 2,
    // Closes a segment under a transfer that has begun.
    arbitrary: fc.record({
      what: fc.constant('cut' as const),
      bytes: fc.integer({ min: 1, max: 400_000 }),
      isFirst: fc.boolean(),
    }),
  },
)

test('whatever the other end takes, and when segments are closed: answers leave whole and in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(sent, { maxLength: 40, size: 'max' }),
      fc.boolean(),
      fc.boolean(),
      async (steps, isForced, isCut) => {
        const rig = new Rig(isForced)
        const { sender } = rig.wire
        const segments = {
          first: new FakeSegment(rig.fake, contents[0]!),
          second: new FakeSegment(rig.fake, contents[1]!),
        }
        const regions: CountedRegion[] = []
        const expected: Buffer[] = []
        let isToldToWait = false
        for (const step of steps) {
          if (step.what === 'answer') {
            const parts = step.parts.map(({ kind, at, length }): Part => {
              if (kind === 'bytes') {
                expected.push(Buffer.alloc(length, at))
                return Buffer.alloc(length, at)
              }
              expected.push(segments[kind].bytes.subarray(at, at + length))
              regions.push(segments[kind].region(at, length))
              return regions.at(-1)!
            })
            sender.send(parts)
            if (sender.isBlocked) isToldToWait = true
          } else if (step.what === 'move') rig.fake.move(1, step.bytes)
          else if (step.what === 'room') rig.far.room = step.bytes
          else if (step.what === 'tell') rig.fake.deliver()
          else if (step.what === 'turn') await turn()
          else {
            const segment = step.isFirst ? segments.first : segments.second
            if (step.what === 'cut') {
              for (let i = 0; i < 3; i++) await turn()
              rig.fake.move(1, step.bytes)
            }
            if (step.what === 'cold') segment.isCold = !segment.isCold
            else void segment.evict()
            if (step.what === 'cut') rig.fake.deliver()
          }
        }
        const whole = Buffer.concat(expected)
        if (isCut) rig.wire.destroy()
        else {
          rig.far.room = Number.POSITIVE_INFINITY
          do {
            await turn()
            rig.move(1_000_000)
          } while (sender.isSending)
          expect(sender.sentBytes).toBe(whole.length)
          expect([sender.isBlocked, sender.isIdle]).toEqual([false, true])
          if (isToldToWait) expect(rig.owner.sent).toBeGreaterThan(0)
        }
        const { output } = rig.far
        expect(output.equals(isCut ? whole.subarray(0, output.length) : whole)).toBe(true)
        expect(regions.every(({ releases }) => releases === 1)).toBe(true)
        expect(rig.room.blocked).toBe(0)
        expect(rig.owner.failure).toBe(null)
      },
    ),
  )
})
