import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { errorName, isRetriable, protocolError, protocolErrors } from '../../ts/protocol/errors.js'

/** Code, name and whether it is retriable, printed from org.apache.kafka.common.protocol.Errors of kafka-clients 4.3.0. */
const kafka = readFileSync(join(__dirname, 'fixtures/kafka-4.3-errors.txt'), 'utf8')

describe('protocolErrors', () => {
  it("has Kafka's codes, names and retriability", () => {
    const ours = Object.entries(protocolErrors).map(([name, { code, retriable }]) => `${code} ${name} ${retriable}`)
    expect(ours).toEqual(kafka.trim().split('\n'))
  })

  it('names codes, unknown ones as Kafka does', () => {
    expect(errorName(3)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(errorName(9999)).toBe('UNKNOWN_SERVER_ERROR')
    expect(isRetriable(3)).toBe(true)
    expect(isRetriable(10)).toBe(false)
  })

  it('makes errors that carry name, retriability and place', () => {
    const error = protocolError(56, null, { topic: 't', partition: 3 })
    expect(error).toMatchObject({ code: 'KAFKA_STORAGE_ERROR', retriable: true, topic: 't', partition: 3 })
    expect(error.message).toBe(protocolErrors.KAFKA_STORAGE_ERROR.message)
    expect(protocolError(9999).message).toContain('9999')
    expect(protocolError('INVALID_CONFIG', 'own words').message).toBe('own words')
  })
})
