import { describe, expect, it } from 'vitest'
import { causeOf, withCause } from '../../ts/protocol/cause.js'
import { protocolError } from '../../ts/protocol/errors.js'
import { isUuid, randomUuid, uuidFromHex, uuidToHex, zeroUuid } from '../../ts/protocol/uuid.js'

describe('uuid', () => {
  it('converts between 22 characters and the 32 hex digits of the engine', () => {
    expect(uuidToHex(zeroUuid)).toBe('0'.repeat(32))
    expect(uuidFromHex('00112233445566778899aabbccddeeff')).toBe('ABEiM0RVZneImaq7zN3u_w')
    expect(uuidToHex('ABEiM0RVZneImaq7zN3u_w')).toBe('00112233445566778899aabbccddeeff')
  })

  it('draws random ids of version 4 that no tool takes for an option', () => {
    for (let i = 0; i < 500; i++) {
      const id = randomUuid()
      expect(isUuid(id)).toBe(true)
      expect(id[0]).not.toBe('-')
      expect(uuidToHex(id)[12]).toBe('4')
    }
  })

  it('knows what is none', () => {
    for (const id of ['', 'AAAAAAAAAAAAAAAAAAAAA', 'AAAAAAAAAAAAAAAAAAAAAB', 'AAAAAAAAAAAAAAAAAAAA+A'])
      expect(isUuid(id)).toBe(false)
  })
})

describe('withCause', () => {
  it('attaches an error that nobody else sees', () => {
    const error = protocolError('INVALID_RECORD')
    const part = withCause({ errorCode: 87 }, error)
    expect(causeOf(part)).toBe(error)
    expect(part).toEqual({ errorCode: 87 })
    expect(JSON.stringify(part)).toBe('{"errorCode":87}')
    expect(causeOf({})).toBeUndefined()
  })
})
