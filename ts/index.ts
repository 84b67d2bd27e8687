export { Admin } from './client/admin.js'
export type {
  GroupDescription,
  GroupListing,
  GroupMemberDescription,
  GroupState,
  OffsetReset,
  PartitionLag,
  ResetTarget,
  TopicPart,
} from './client/admin-group-options.js'
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
export type { AssignorName } from './client/assignors/assignors.js'
export { Consumer } from './client/consumer.js'
export { ConsumerBatch, type RecordView } from './client/consumer-batch.js'
export type {
  AssignedEvent,
  ConsumerEventMap,
  ConsumerEventName,
  ConsumerListener,
  LostEvent,
  RebalanceEvent,
  RevokedEvent,
  StalledEvent,
} from './client/consumer-events.js'
export { ConsumerMessage } from './client/consumer-message.js'
export type {
  Assignment,
  CommittedOffset,
  ConsumerOptions,
  From,
  OffsetToCommit,
  TopicPartition,
} from './client/consumer-options.js'
export type { RunHandlers } from './client/consumer-run.js'
export type { GroupOptions } from './client/group/group-options.js'
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
export type { BrokerExpression, Subscribed } from './client/subscription.js'
export { SeglogError } from './errors/seglog-error.js'
export type { Logger } from './log/logger.js'
export { type OpenOptions, open } from './open.js'
export type { CodecName } from './records/codecs/codec-name.js'
export type { Bytes, Message, MessageHeaders, RecordHeaders } from './records/message.js'
export { type ServedLog, type ServeOptions, serve } from './serve.js'
export type { ListenerOptions } from './server/listener.js'
