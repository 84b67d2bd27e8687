import { backOffMs } from '../client/back-off.js'
import { asSeglogError } from '../client/settle-errors.js'
import { type ApiKey, apiKey, type RequestOf, type ResponseOf } from '../protocol/apis.js'
import type { MetadataTopicResponse } from '../protocol/messages/03-metadata.js'
import { zeroUuid } from '../protocol/uuid.js'
import type { Pauses } from './pauses.js'
import type { Call } from './repeated-call.js'
import type { RequestSender } from './request-sender.js'
import type { TcpCluster } from './tcp-cluster.js'

/** Topics that were changed, and how a broker that has heard of it describes them. */
interface Changes {
  readonly topics: readonly string[]
  readonly isKnown: (topic: MetadataTopicResponse) => boolean
}

/** Brokers hear from the controller within milliseconds, as a rule. */
const pauses = { initialMs: 5, maxMs: 500 }
/** Longest time to wait for them; the change is made all the same. */
const waitMs = 10_000

/**
 * The controller answers when a topic is created or deleted, and the other brokers learn of it a moment later. Who asked
 * for the change should find it made: so the answer waits until the broker that this client asks knows.
 */
export class TopicChanges {
  constructor(
    private readonly cluster: TcpCluster,
    private readonly sender: RequestSender,
    private readonly waits: Pauses,
  ) {}

  /** Resolves when the changes are known, or have not become so in time. Rejects only when the call or the transport ends. */
  async settle<K extends ApiKey>(key: K, request: RequestOf<K>, answer: ResponseOf<K>, call: Call): Promise<void> {
    const changes = changesOf(key, request, answer)
    if (changes === null || changes.topics.length === 0) return
    const deadlineMs = Math.min(call.deadlineMs, performance.now() + waitMs)
    for (let attempts = 1; !(await this.areKnown(changes, call)); attempts++) {
      const pauseMs = backOffMs(pauses, attempts)
      if (performance.now() + pauseMs > deadlineMs) return
      await this.waits.wait(pauseMs, call.signal)
    }
  }

  private async areKnown({ topics, isKnown }: Changes, call: Call): Promise<boolean> {
    const asked = topics.map((name) => ({ topicId: zeroUuid, name }))
    const request = {
      topics: asked,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    }
    try {
      const response = await this.sender.send(this.cluster.any(), apiKey.metadata, request, call)
      this.cluster.view.learn(response, asked)
      return response.topics.every(isKnown)
    } catch (error) {
      if (!asSeglogError(error).retriable) throw error
      return false
    }
  }
}

function changesOf<K extends ApiKey>(key: K, request: RequestOf<K>, answer: ResponseOf<K>): Changes | null {
  switch (key as ApiKey) {
    case apiKey.createTopics: {
      if ((request as RequestOf<typeof apiKey.createTopics>).validateOnly) return null
      const { topics } = answer as ResponseOf<typeof apiKey.createTopics>
      return { topics: namesOf(topics), isKnown: isLed }
    }
    case apiKey.createPartitions: {
      const { topics, validateOnly } = request as RequestOf<typeof apiKey.createPartitions>
      if (validateOnly) return null
      const counts = new Map(topics.map(({ name, count }) => [name, count]))
      const isKnown = (topic: MetadataTopicResponse) =>
        isLed(topic) && topic.partitions.length >= (counts.get(topic.name ?? '') ?? 0)
      return { topics: namesOf((answer as ResponseOf<typeof apiKey.createPartitions>).results), isKnown }
    }
    case apiKey.deleteTopics: {
      const { responses } = answer as ResponseOf<typeof apiKey.deleteTopics>
      const ids = new Map(responses.map(({ name, topicId }) => [name, topicId]))
      // One that was created anew meanwhile has another id.
      const isKnown = ({ name, topicId, errorCode }: MetadataTopicResponse) =>
        errorCode !== 0 || (topicId !== zeroUuid && topicId !== ids.get(name))
      return { topics: namesOf(responses), isKnown }
    }
    default:
      return null
  }
}

function namesOf(results: readonly { name: string | null; errorCode: number }[]): string[] {
  return results.flatMap(({ name, errorCode }) => (errorCode === 0 && name !== null ? [name] : []))
}

function isLed({ errorCode, partitions }: MetadataTopicResponse): boolean {
  return errorCode === 0 && partitions.length > 0 && partitions.every(({ leaderId }) => leaderId >= 0)
}
