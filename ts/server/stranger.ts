/** Something other than a Kafka client on the other end. */
export interface Stranger {
  readonly kind: 'http' | 'tls' | 'text'
  /** What it is and what to do, for the log. */
  readonly message: string
  /** Sent before the connection is closed. */
  readonly answer: string | null
}

const methods = new Set(['GET ', 'POST', 'PUT ', 'HEAD', 'DELE', 'OPTI', 'PATC', 'CONN', 'TRAC', 'PRI '])
const helloRecord = 0x16
const tlsMajor = 3

const body = 'This port speaks the Kafka protocol, not HTTP. Point a Kafka client here: bootstrap.servers=HOST:PORT\n'
const httpAnswer = [
  'HTTP/1.1 400 Bad Request',
  'Content-Type: text/plain; charset=utf-8',
  `Content-Length: ${body.length}`,
  'Connection: close',
  '',
  body,
].join('\r\n')

/**
 * Tells by the first four bytes of a connection who is there; null where they may be the length of a Kafka request. Read
 * as one, what is told here would announce more than 160 MB.
 */
export function strangerOf(bytes: Uint8Array): Stranger | null {
  if (bytes.length < 4) return null
  if (bytes[0] === helloRecord && bytes[1] === tlsMajor) {
    return {
      kind: 'tls',
      message:
        'a TLS handshake came to a listener without TLS; set security.protocol=PLAINTEXT (ssl: false) in the client',
      answer: null,
    }
  }
  const text = String.fromCharCode(...bytes.subarray(0, 4))
  if (methods.has(text)) {
    return {
      kind: 'http',
      message: 'an HTTP request came to a listener of the Kafka protocol; point Kafka clients here, and HTTP elsewhere',
      answer: httpAnswer,
    }
  }
  if (/^[\x20-\x7e\t\r\n]{4}$/.test(text)) {
    return {
      kind: 'text',
      message: 'plain text came to a listener of the Kafka protocol; check which program connects here',
      answer: null,
    }
  }
  return null
}
