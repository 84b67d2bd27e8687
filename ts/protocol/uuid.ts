import { randomBytes } from 'node:crypto'

/**
 * Ids as Kafka writes them: 16 bytes in base64url without padding, 22 characters. Messages, `partition.metadata` and
 * `seglog.json` hold this form; the engine's 32 hex digits are made of it here and nowhere else.
 */
export const zeroUuid = 'AAAAAAAAAAAAAAAAAAAAAA'

/** A random id (version 4). Kafka's tools take a leading dash for an option, so such an id is drawn again. */
export function randomUuid(): string {
  for (;;) {
    const bytes = randomBytes(16)
    bytes[6] = (bytes[6] & 0x0f) | 0x40
    bytes[8] = (bytes[8] & 0x3f) | 0x80
    const id = bytes.toString('base64url')
    if (!id.startsWith('-')) return id
  }
}

/** True for 22 base64url characters whose last one carries no stray bits. */
export function isUuid(id: string): boolean {
  return /^[A-Za-z0-9_-]{21}[AQgw]$/.test(id)
}

export function uuidToHex(id: string): string {
  return Buffer.from(id, 'base64url').toString('hex')
}

export function uuidFromHex(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64url')
}
