import type { Random } from './random.js'

type Mutation = (bytes: Buffer, random: Random) => Buffer

const lies = [-1, -2, 0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10_0000, 0x7fff_ffff, -0x8000_0000]
const varints = [
  'ffffffff0f',
  'ffffffff1f',
  '8080808000',
  '808080808000',
  'ffffffffffffffffff01',
  '818002',
  '00',
  '01',
  '8001',
]

/** One to four changes of a kind that parsers fall for: bits, lengths that lie, cuts, insertions, repetitions. */
export function mutate(bytes: Buffer, random: Random, others: readonly Buffer[]): Buffer {
  let result: Buffer = Buffer.from(bytes)
  for (let left = 1 + random.below(4); left > 0; left--) {
    const mutation = random.pick(mutations)
    result = mutation === splice ? splice(result, random, others) : mutation(result, random)
  }
  return result
}

function splice(bytes: Buffer, random: Random, others: readonly Buffer[] = []): Buffer {
  const other = others.length === 0 ? bytes : random.pick(others)
  return Buffer.concat([bytes.subarray(0, random.below(bytes.length)), other.subarray(random.below(other.length))])
}

const mutations: readonly Mutation[] = [
  (bytes, random) => {
    if (bytes.length > 0) bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
    return bytes
  },
  (bytes, random) => {
    if (bytes.length > 0)
      bytes[random.below(bytes.length)] = random.pick([0, 1, 2, 0x7f, 0x80, 0xfe, 0xff, random.below(256)])
    return bytes
  },
  (bytes, random) => {
    if (bytes.length >= 2) bytes.writeInt16BE((random.pick(lies) << 16) >> 16, random.below(bytes.length - 1))
    return bytes
  },
  (bytes, random) => {
    if (bytes.length >= 4) bytes.writeInt32BE(random.pick(lies) | 0, random.below(bytes.length - 3))
    return bytes
  },
  (bytes, random) => {
    const at = random.below(bytes.length + 1)
    const varint = Buffer.from(random.pick(varints), 'hex')
    return Buffer.concat([bytes.subarray(0, at), varint, bytes.subarray(at + random.below(3))])
  },
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, random) => {
    const from = random.below(bytes.length + 1)
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + random.below(16))])
  },
  (bytes, random) => {
    const at = random.below(bytes.length + 1)
    return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(16)), bytes.subarray(at)])
  },
  (bytes, random) => {
    const from = random.below(bytes.length + 1)
    const piece = bytes.subarray(from, from + 1 + random.below(64))
    const times = 1 + random.below(random.below(8) === 0 ? 100 : 3)
    return Buffer.concat([bytes.subarray(0, from), ...Array.from({ length: times }, () => piece), bytes.subarray(from)])
  },
  splice,
]

/** `bytes` as the chunks of a socket that delivers as it likes, empty ones among them. */
export function inChunks(bytes: Buffer, random: Random): Buffer[] {
  const chunks: Buffer[] = []
  const usual = random.pick([1, 7, 64, bytes.length])
  for (let at = 0; at < bytes.length; ) {
    const length = random.below(10) === 0 ? 0 : 1 + random.below(usual * 2)
    chunks.push(bytes.subarray(at, at + length))
    at += length
  }
  return chunks
}
