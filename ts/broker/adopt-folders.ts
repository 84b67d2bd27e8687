import type { LogDirectory } from '../log/log-directory.js'
import type { Logger } from '../log/logger.js'
import { randomUuid } from '../protocol/uuid.js'
import type { BrokerConfig } from './broker-config.js'
import type { TopicRecord } from './metadata-store.js'
import { offsetsTopicName } from './topic-names.js'
import type { TopicStore } from './topic-store.js'

/**
 * Takes partition folders without an entry in `seglog.json` (a directory that Kafka wrote, or a lost `seglog.json`) in
 * as topics. Their configs are not known, so nothing is ever deleted from them until somebody says so: the cleanup
 * policy is empty, visible and alterable like any config; that of `__consumer_offsets` is known. Folders of another topic
 * id than the first one found under their name are left alone.
 */
export async function adoptFolders(
  store: TopicStore,
  logs: LogDirectory,
  config: BrokerConfig,
  logger: Logger,
): Promise<void> {
  const deletingIds = new Set(store.deleting.map((topic) => topic.id))
  const adopted = new Map<string, TopicRecord>()
  for (const { topic, partition } of logs.found) {
    const known = adopted.get(topic) ?? store.topics.get(topic)
    if (known !== undefined && known.partitions > partition) continue
    const id = await logs.readTopicId(topic, partition)
    if (id !== null && deletingIds.has(id)) continue
    if (known !== undefined && id !== null && known.id !== id) {
      logger.error({ topic, partition, id, known: known.id }, 'a folder of another topic of this name is left alone')
      continue
    }
    adopted.set(topic, {
      name: topic,
      id: known?.id ?? id ?? randomUuid(),
      partitions: partition + 1,
      configs: known?.configs ?? { 'cleanup.policy': '' },
    })
  }
  if (adopted.size === 0) return
  const offsets = adopted.get(offsetsTopicName)
  if (offsets !== undefined) adopted.set(offsetsTopicName, asOffsetsTopic(offsets, logs, config))
  await store.adopt([...adopted.values()])
  const topics = [...adopted.keys()]
  logger.warn(
    { topics },
    'topics without an entry in seglog.json adopted; nothing is deleted until cleanup.policy is set',
  )
}

/**
 * A group finds its partition by the number of them. Kafka makes all folders at once, so where there are gaps, ours made
 * them, one by one as they were used, and the number is the one that such topics are made with.
 */
function asOffsetsTopic(record: TopicRecord, logs: LogDirectory, config: BrokerConfig): TopicRecord {
  const found = logs.found.filter(({ topic }) => topic === record.name).length
  const made = found < record.partitions ? config.number('offsets.topic.num.partitions') : 0
  const partitions = Math.max(record.partitions, made)
  return { ...record, partitions, configs: { ...record.configs, 'cleanup.policy': 'compact' } }
}
