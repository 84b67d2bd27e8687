import { consumerProtocolType, type Group } from './group.js'

/**
 * The topics that the members of a consumer group want, by what they sent for the chosen protocol: none without members.
 * Null for other protocol types, and where a member's metadata is not what consumers send.
 */
export function subscribedTopics(group: Group): ReadonlySet<string> | null {
  if (group.protocolType !== consumerProtocolType) return null
  const topics = new Set<string>()
  for (const member of group.members.values()) {
    const wanted = topicsOf(member.metadata(group.protocolName))
    if (wanted === null) return null
    for (const topic of wanted) topics.add(topic)
  }
  return topics
}

/** An int16 version, then an array of strings: so begins the subscription in every version of the consumer protocol. */
function topicsOf(metadata: Uint8Array): string[] | null {
  const bytes = Buffer.from(metadata.buffer, metadata.byteOffset, metadata.byteLength)
  if (bytes.length < 6) return null
  const count = bytes.readInt32BE(2)
  const topics: string[] = []
  let at = 6
  for (let i = 0; i < count; i++) {
    if (at + 2 > bytes.length) return null
    const end = at + 2 + bytes.readInt16BE(at)
    if (end < at + 2 || end > bytes.length) return null
    topics.push(bytes.toString('utf8', at + 2, end))
    at = end
  }
  return topics
}
