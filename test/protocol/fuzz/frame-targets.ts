import { FrameReader as RequestReader } from '../../../ts/server/frame-reader.js'
import { FrameReader as ResponseReader } from '../../../ts/transport/frame-reader.js'
import { inChunks, mutate } from './mutate.js'
import type { Random } from './random.js'
import { insist, type Target, unless } from './target.js'

/** Longest frame that the readers under test take. */
const maxBytes = 4096

/** The readers that cut a stream into frames, each beside a few lines that do the same to the joined stream. */
export const frameTargets: readonly Target[] = [
  {
    name: "the server's frame reader",
    input: stream,
    check(input, random) {
      const reader = new RequestReader(maxBytes)
      const frames: Buffer[] = []
      const { expected, broken } = cut(input, 0)
      const refused = unless(['MALFORMED_MESSAGE'], () => {
        let pushed = 0
        for (const chunk of inChunks(input, random)) {
          reader.push(chunk)
          pushed += chunk.length
          if (random.below(4) === 0) reader.compact()
          reader.peekKey()
          insist(reader.head().length <= 4, 'the head has four bytes at most')
          for (let frame = reader.next(); frame !== null; frame = reader.next()) {
            const joined = Buffer.concat(frame.chunks)
            insist(joined.length === frame.sizeBytes, 'a frame is not of its size')
            frames.push(joined)
          }
          const taken = frames.reduce((sum, frame) => sum + frame.length + 4, 0)
          insist(reader.bytes === pushed - taken, 'bytes were lost or invented')
        }
        return false
      })
      same(frames, expected)
      insist((refused === undefined) === broken, 'a bad length must be refused, and only that')
    },
  },
  {
    name: "the client's frame reader",
    input: stream,
    check(input, random) {
      const frames: Buffer[] = []
      const { expected, broken } = cut(input, 4)
      const reader = new ResponseReader(maxBytes, (frame) => frames.push(Buffer.from(frame)))
      const refused = unless(['MALFORMED_MESSAGE'], () => {
        for (const chunk of inChunks(input, random)) reader.push(chunk)
        return false
      })
      same(frames, expected)
      insist((refused === undefined) === broken, 'a bad length must be refused, and only that')
    },
  },
]

/** Some frames, one behind the other, then damaged. */
function stream(random: Random): Buffer {
  const frames: Buffer[] = []
  for (let left = 1 + random.below(6); left > 0; left--) {
    const frame = Buffer.alloc(4 + random.pick([0, 4, 5, random.below(100), random.below(maxBytes)]), left)
    frame.writeInt32BE(frame.length - 4)
    frames.push(frame)
  }
  const whole = Buffer.concat(frames)
  return random.below(3) === 0 ? whole : mutate(whole, random, frames)
}

function cut(input: Buffer, leastBytes: number): { expected: Buffer[]; broken: boolean } {
  const expected: Buffer[] = []
  for (let at = 0; input.length - at >= 4; ) {
    const length = input.readInt32BE(at)
    if (length < leastBytes || length > maxBytes) return { expected, broken: true }
    if (input.length - at - 4 < length) break
    expected.push(input.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return { expected, broken: false }
}

function same(frames: readonly Buffer[], expected: readonly Buffer[]): void {
  insist(frames.length === expected.length, `${frames.length} frames where ${expected.length} were sent`)
  insist(
    frames.every((frame, i) => frame.equals(expected[i]!)),
    'a frame has other bytes than were sent',
  )
}
