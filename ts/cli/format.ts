import { isUtf8 } from 'node:buffer'
import { InvalidArgumentError } from 'commander'
import type { ConsumerMessage } from '../client/consumer-message.js'

type Part = (message: ConsumerMessage) => string | Buffer

const empty = Buffer.alloc(0)

const fields: Readonly<Record<string, Part>> = {
  t: ({ topic }) => topic,
  p: ({ partition }) => String(partition),
  o: ({ offset }) => String(offset),
  k: ({ key }) => key ?? empty,
  v: ({ value }) => value ?? empty,
  h: (message) => message.headerList.map(([name, value]) => `${name}=${value ?? ''}`).join(','),
  T: ({ timestamp }) => String(timestamp),
  '%': () => '%',
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0', '\\': '\\' }

/**
 * Reads a format: %t topic, %p partition, %o offset, %k key, %v value, %h headers, %T timestamp, %% percent, and \n \t \r
 * \0 \\. Keys and values are written as the bytes they are. Throws InvalidArgumentError for anything else behind a %.
 */
export function formatter(format: string): (message: ConsumerMessage) => Buffer {
  const parts: Part[] = []
  for (const [whole, escaped, field] of format.matchAll(/\\([\s\S])|%([\s\S]?)|[^\\%]+|\\$/g)) {
    if (field !== undefined) {
      if (!Object.hasOwn(fields, field))
        throw new InvalidArgumentError(`%${field} is unknown; there are %t %p %o %k %v %h %T %%.`)
      parts.push(fields[field])
    } else {
      const text = escaped === undefined ? whole : (escapes[escaped] ?? escaped)
      parts.push(() => text)
    }
  }
  return (message) => Buffer.concat(parts.map((part) => asBuffer(part(message))))
}

function asBuffer(part: string | Buffer): Buffer {
  return typeof part === 'string' ? Buffer.from(part) : part
}

/** A message as one JSON line; bytes that are not UTF-8 become `{ "base64": "..." }`. */
export function jsonLine(message: ConsumerMessage): string {
  const { topic, partition, offset, timestamp, key, value, headerList } = message
  const headers = headerList.length === 0 ? undefined : headerList.map(([name, bytes]) => [name, jsonText(bytes)])
  return `${JSON.stringify({ topic, partition, offset: String(offset), timestamp, key: jsonText(key), value: jsonText(value), headers })}\n`
}

function jsonText(bytes: Buffer | null): unknown {
  if (bytes === null) return null
  return isUtf8(bytes) ? bytes.toString() : { base64: bytes.toString('base64') }
}
