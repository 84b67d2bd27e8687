import type { SeglogError } from '../../errors/seglog-error.js'
import { readMessage, writeMessage } from '../../protocol/codec/message-codec.js'
import { Reader } from '../../protocol/codec/reader.js'
import { Writer } from '../../protocol/codec/writer.js'
import { array, each, type Infer, int32, type Payload, payload, string, struct } from '../../protocol/schema.js'
import { placesOf, topicsOf } from '../partition-lists.js'
import type { Claim } from './assignor.js'

/** What members send beside a subscription for `sticky`, as Java's do: no version in front. 1 adds the generation. */
const stickyUserData = payload({
  name: 'StickyUserData',
  versions: '0-1',
  flexible: 'none',
  fields: {
    previousAssignment: array(struct({ topic: string(), partitions: array(each.int32) })),
    generation: int32({ versions: '1+', default: -1, ignorable: true }),
  },
})

/** The same for `cooperative-sticky`, for leaders that know no subscription with a generation. */
const cooperativeUserData = payload({
  name: 'CooperativeStickyUserData',
  versions: '0',
  flexible: 'none',
  fields: { generation: int32({ default: -1 }) },
})

export function writeStickyUserData({ owned, generation }: Claim): Uint8Array {
  return write(stickyUserData, 1, { previousAssignment: topicsOf(owned), generation })
}

/** Null for what no member of this kind has sent. */
export function readStickyUserData(bytes: Uint8Array): Claim | null {
  // Only the length tells the versions apart.
  const data = orNull(() => read(stickyUserData, 1, bytes)) ?? orNull(() => read(stickyUserData, 0, bytes))
  return data && { owned: placesOf(data.previousAssignment), generation: data.generation }
}

export function writeCooperativeUserData({ generation }: Claim): Uint8Array {
  return write(cooperativeUserData, 0, { generation })
}

/** -1 for what no member of this kind has sent. */
export function readCooperativeUserData(bytes: Uint8Array): number {
  return orNull(() => read(cooperativeUserData, 0, bytes))?.generation ?? -1
}

/** A member that sends nonsense loses what it owned; it must not stop the whole group. */
function orNull<T>(parse: () => T): T | null {
  try {
    return parse()
  } catch (error) {
    if ((error as SeglogError).code === 'MALFORMED_MESSAGE') return null
    throw error
  }
}

function read<P extends Payload>(table: P, version: number, bytes: Uint8Array): Infer<P> {
  return readMessage(table, version, new Reader(bytes))
}

function write<P extends Payload>(table: P, version: number, value: Infer<P>): Uint8Array {
  const writer = new Writer()
  writer.begin()
  writeMessage(table, version, writer, value)
  return writer.finishCopy()
}
