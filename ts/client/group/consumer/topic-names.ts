import { apiKey } from '../../../protocol/apis.js'
import { errorOf } from '../../response-error.js'
import type { Transport } from '../../transport.js'

/** Brokers may not have heard of a topic yet that the coordinator gives partitions of. */
const unknown: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_ID',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'INCONSISTENT_TOPIC_ID',
])

/** Names of topics by their ids: assignments have the ids alone. A name is asked for once, as no topic ever gets another. */
export class TopicNames {
  private known = new Map<string, string>()

  constructor(
    private readonly transport: Transport,
    private readonly clientId: string | null,
  ) {}

  /** Those that there are; of other ids than these nothing is remembered. Rejects as Metadata does. */
  async of(topicIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const names = new Map(topicIds.flatMap((id) => (this.known.has(id) ? [[id, this.known.get(id)!]] : [])))
    const open = topicIds.filter((id) => !names.has(id))
    if (open.length > 0) for (const [id, name] of await this.ask(open)) names.set(id, name)
    this.known = names
    return names
  }

  private async ask(topicIds: readonly string[]): Promise<[string, string][]> {
    const request = {
      topics: topicIds.map((topicId) => ({ topicId, name: null })),
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    }
    const { topics } = await this.transport.request(apiKey.metadata, request, { clientId: this.clientId })
    return topics.flatMap((part) => {
      const error = errorOf(part, { topic: part.name ?? undefined })
      if (error !== null && !unknown.has(error.code)) throw error
      return error === null && part.name !== null ? [[part.topicId, part.name] as [string, string]] : []
    })
  }
}
