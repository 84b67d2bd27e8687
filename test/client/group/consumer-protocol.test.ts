import { describe, expect, test } from 'vitest'
import { assignors } from '../../../ts/client/assignors/assignors.js'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../ts/client/group/consumer-protocol.js'

// Bytes as Kafka 4.3's own ConsumerProtocol and assignors wrote them.
const owned = [
  { topic: 't1', partition: 0 },
  { topic: 't1', partition: 2 },
  { topic: 't2', partition: 1 },
]
const claim = { owned, generation: 7 }
const subscription = { topics: ['t1', 't2'], claim, userData: Buffer.from([1, 2]), rackId: 'rack-a' }
const body0 = '000000020002743100027432000000020102'
const places = '0000000200027431000000020000000000000002000274320000000100000001'
const rack = '00067261636b2d61'

describe('subscription', () => {
  test('is written as version 3', () => {
    expect(hex(encodeSubscription(subscription))).toBe(`0003${body0}${places}00000007${rack}`)
    const plain = { topics: ['t1'], claim: { owned: [], generation: -1 }, userData: null, rackId: null }
    expect(hex(encodeSubscription(plain))).toBe('00030000000100027431ffffffff00000000ffffffffffff')
  })

  test.each([
    ['0', `0000${body0}`, { claim: { owned: [], generation: -1 }, rackId: null }],
    ['1', `0001${body0}${places}`, { claim: { owned, generation: -1 }, rackId: null }],
    ['2', `0002${body0}${places}00000007`, { claim, rackId: null }],
    ['3', `0003${body0}${places}00000007${rack}`, { claim, rackId: 'rack-a' }],
    ['a later version', `0009${body0}${places}00000007${rack}1234`, { claim, rackId: 'rack-a' }],
    ['1 that stops where 0 ends', `0001${body0}`, { claim: { owned: [], generation: -1 }, rackId: null }],
  ])('version %s', (_, bytes, rest) => {
    const read = decodeSubscription(Buffer.from(bytes, 'hex'))
    expect({ ...read, userData: Buffer.from(read.userData!) }).toEqual({ ...subscription, ...rest })
  })

  test('nonsense', () => {
    expect(() => decodeSubscription(Buffer.from([0]))).toThrow(expect.objectContaining({ code: 'MALFORMED_MESSAGE' }))
    const lying = Buffer.from('00007fffffff0002', 'hex')
    expect(() => decodeSubscription(lying)).toThrow(expect.objectContaining({ code: 'MALFORMED_MESSAGE' }))
  })
})

describe('assignment', () => {
  test('written and read', () => {
    expect(hex(encodeAssignment(owned))).toBe(`0003${places}ffffffff`)
    expect(decodeAssignment(Buffer.from(`0003${places}ffffffff`, 'hex'))).toEqual(owned)
    expect(decodeAssignment(Buffer.from(`0000${places}00000000`, 'hex'))).toEqual(owned)
  })

  test('a member without one', () => {
    expect(decodeAssignment(new Uint8Array(0))).toEqual([])
  })
})

describe('user data', () => {
  const none = { owned: [], generation: -1 }
  const { sticky } = assignors
  const cooperative = assignors['cooperative-sticky']

  test('of sticky', () => {
    expect(hex(sticky.userData(claim)!)).toBe(`${places}00000007`)
    expect(sticky.claimOf(none, Buffer.from(`${places}00000007`, 'hex'))).toEqual(claim)
    expect(sticky.claimOf(none, Buffer.from(places, 'hex'))).toEqual({ owned, generation: -1 })
    expect(sticky.claimOf(none, Buffer.from('00ff', 'hex'))).toEqual(none)
    expect(sticky.claimOf(claim, null)).toEqual(claim)
  })

  test('of cooperative-sticky', () => {
    expect(hex(cooperative.userData(claim)!)).toBe('00000007')
    const withoutGeneration = { owned, generation: -1 }
    expect(cooperative.claimOf(withoutGeneration, Buffer.from('00000007', 'hex'))).toEqual(claim)
    expect(cooperative.claimOf(withoutGeneration, Buffer.from('00', 'hex'))).toEqual(withoutGeneration)
    expect(cooperative.claimOf(claim, Buffer.from('00000003', 'hex'))).toEqual(claim)
  })
})

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
