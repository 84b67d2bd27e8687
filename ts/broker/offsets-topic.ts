import { randomUuid } from '../protocol/uuid.js'
import type { BrokerConfig } from './broker-config.js'
import type { TopicRecord } from './metadata-store.js'
import { offsetsTopicName } from './topic-names.js'

/** The topic of groups and their offsets, as it is made when it is first needed. */
export function offsetsTopic(config: BrokerConfig): TopicRecord {
  return {
    name: offsetsTopicName,
    id: randomUuid(),
    partitions: config.number('offsets.topic.num.partitions'),
    configs: {
      'cleanup.policy': 'compact',
      'compression.type': 'producer',
      'segment.bytes': config.get('offsets.topic.segment.bytes'),
    },
  }
}
