export { Admin } from './client/admin.js'
export type {
  ConfigEntry,
  CreatedTopic,
  NewTopic,
  PartitionDescription,
  PartitionOffsetAt,
  PartitionOffsets,
  TopicConfig,
  TopicDescription,
} from './client/admin-options.js'
export { Consumer, type RunHandlers } from './client/consumer.js'
export { ConsumerBatch, type RecordView } from './client/consumer-batch.js'
export { ConsumerMessage } from './client/consumer-message.js'
export type { Assignment, ConsumerOptions, From, TopicPartition } from './client/consumer-options.js'
export { SeglogLog } from './client/log.js'
export { murmur2, partitionForKey } from './client/partitioners.js'
export type { RecordMetadata, SendOutcome } from './client/pending-send.js'
export { Producer } from './client/producer.js'
export type {
  Acks,
  PartitionedMessage,
  Partitioner,
  ProducerBatch,
  ProducerMessage,
  ProducerOptions,
  ProducerRecord,
} from './client/producer-options.js'
export { SeglogError } from './errors/seglog-error.js'
export type { Logger } from './log/logger.js'
export { type OpenOptions, open } from './open.js'
export type { CodecName } from './records/codecs/codec-name.js'
export type { Bytes, Message, MessageHeaders, RecordHeaders } from './records/message.js'
export { type ServedLog, type ServeOptions, serve } from './serve.js'
export type { ListenerOptions } from './server/listener.js'
