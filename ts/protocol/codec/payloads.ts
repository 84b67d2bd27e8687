import { covers, type Infer, type Payload } from '../schema.js'
import { malformed } from './malformed.js'
import { readMessage, writeMessage } from './message-codec.js'
import { Reader } from './reader.js'
import { Writer } from './writer.js'

const writer = new Writer()

/** The version in front of a payload. Throws MALFORMED_MESSAGE where there is none. */
export function payloadVersion(bytes: Uint8Array): number {
  return new Reader(bytes).readInt16()
}

/**
 * Reads a payload at the version it has in front. A later version than `table` knows is UNSUPPORTED_VERSION, or is read
 * as the newest known where that is asked for: clients append fields to the consumer protocol and expect just that.
 */
export function readPayload<P extends Payload>(
  table: P,
  bytes: Uint8Array,
  laterVersions: 'refused' | 'read as the newest' = 'refused',
): Infer<P> {
  const reader = new Reader(bytes)
  const version = reader.readInt16()
  if (version < 0) throw malformed(`${table.name} has the version ${version}`)
  const asNewest = laterVersions === 'read as the newest' && !covers(table.versions, version)
  return readMessage(table, asNewest ? Math.min(version, table.versions.to) : version, reader)
}

/** Writes a payload with its version in front. Errors as in `writeRequest`. */
export function writePayload<P extends Payload>(table: P, version: number, value: Infer<P>): Uint8Array {
  writer.begin()
  writer.writeInt16(version)
  writeMessage(table, version, writer, value)
  return writer.finishCopy()
}
