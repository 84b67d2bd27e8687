import { describe, expect, test } from 'vitest'
import { apiKey } from '../../ts/protocol/apis.js'
import { strangerOf } from '../../ts/server/stranger.js'
import { frameOf } from './harness.js'

describe('the first bytes of a connection', () => {
  test.each([
    ['http', Buffer.from('GET / HTTP/1.1\r\n')],
    ['http', Buffer.from('POST /topics HTTP/1.1\r\n')],
    ['http', Buffer.from('OPTIONS * HTTP/1.1\r\n')],
    ['http', Buffer.from('PRI * HTTP/2.0\r\n')],
    ['tls', Buffer.from([0x16, 3, 1, 2, 0, 1])],
    ['tls', Buffer.from([0x16, 3, 3, 0, 0x80, 1])],
    ['text', Buffer.from('hello\n')],
    ['text', Buffer.from('EHLO example.org\r\n')],
    ['text', Buffer.from('\r\n\r\n')],
  ])('tell %s', (kind, bytes) => {
    expect(strangerOf(bytes)?.kind).toBe(kind)
  })

  test('only HTTP is answered', () => {
    const answer = strangerOf(Buffer.from('GET /'))?.answer ?? ''
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    const [head, body] = answer.split('\r\n\r\n')
    expect(head).toContain(`Content-Length: ${Buffer.byteLength(body)}`)
    expect(strangerOf(Buffer.from([0x16, 3, 1, 0]))?.answer).toBeNull()
    expect(strangerOf(Buffer.from('hello'))?.answer).toBeNull()
  })

  test('of a Kafka client tell nothing', () => {
    expect(strangerOf(frameOf(apiKey.apiVersions, { clientSoftwareName: 'a', clientSoftwareVersion: '1' }))).toBeNull()
    expect(strangerOf(Buffer.from([6, 0x40, 0, 0]))).toBeNull()
    expect(strangerOf(Buffer.from([0xff, 0xff, 0xff, 0xff]))).toBeNull()
    expect(strangerOf(Buffer.from('GE'))).toBeNull()
  })
})
