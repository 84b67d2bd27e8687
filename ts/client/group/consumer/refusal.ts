import { SeglogError } from '../../../errors/seglog-error.js'

/** Null where the error is of another kind than that the consumer protocol is not to be had. */
export function refusalOf(error: SeglogError, groupId: string): SeglogError | null {
  const why = reasonOf(error)
  if (why === null) return null
  const message = `group ${groupId} cannot be joined by the consumer protocol: ${why} (${error.message})`
  return new SeglogError('GROUP_PROTOCOL_REFUSED', message, { key: 'groupProtocol', cause: error })
}

function reasonOf({ code }: SeglogError): string | null {
  switch (code) {
    case 'UNSUPPORTED':
    case 'UNSUPPORTED_VERSION':
      return "the broker does not offer it as it is asked for; use groupProtocol 'classic', or a broker of Kafka 4.0 or later"
    case 'GROUP_ID_NOT_FOUND':
      return "it has members of the classic protocol, and group.consumer.migration.policy lets it not become another; use groupProtocol 'classic', or end them first"
    default:
      return null
  }
}
