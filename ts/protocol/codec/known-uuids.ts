import { isUuid, zeroUuid } from '../uuid.js'

const uuidBytes = 16
const placeBits = 9

/** Uuids in both their forms, each at a place that follows from one of them; one that comes later takes the place over. */
class Table {
  readonly bytes = Buffer.alloc(uuidBytes << placeBits)
  readonly texts: string[] = new Array(1 << placeBits).fill(zeroUuid)

  holds(place: number, bytes: Uint8Array, from: number): boolean {
    const at = place * uuidBytes
    for (let i = 0; i < uuidBytes; i++) if (this.bytes[at + i] !== bytes[from + i]) return false
    return true
  }
}

const byBytes = new Table()
const byText = new Table()

/** 16 bytes as 22 characters. Ids of topics come with every request: one that was met lately is found, not made again. */
export function uuidOf(bytes: Uint8Array, from: number): string {
  const place = placeOf((bytes[from] << 24) ^ (bytes[from + 5] << 16) ^ (bytes[from + 10] << 8) ^ bytes[from + 15])
  if (byBytes.holds(place, bytes, from)) return byBytes.texts[place]
  const at = place * uuidBytes
  byBytes.bytes.set(bytes.subarray(from, from + uuidBytes), at)
  const text = byBytes.bytes.toString('base64url', at, at + uuidBytes)
  byBytes.texts[place] = text
  return text
}

/** Puts 22 characters as 16 bytes; false, and nothing is put, where they are no uuid. */
export function putUuid(text: string, target: Uint8Array, at: number): boolean {
  const place = placeOf(
    (text.charCodeAt(0) << 24) ^ (text.charCodeAt(7) << 16) ^ (text.charCodeAt(14) << 8) ^ text.charCodeAt(20),
  )
  const from = place * uuidBytes
  if (byText.texts[place] !== text) {
    if (!isUuid(text)) return false
    byText.bytes.write(text, from, uuidBytes, 'base64url')
    byText.texts[place] = text
  }
  for (let i = 0; i < uuidBytes; i++) target[at + i] = byText.bytes[from + i]
  return true
}

function placeOf(word: number): number {
  return Math.imul(word, 0x9e37_79b1) >>> (32 - placeBits)
}
