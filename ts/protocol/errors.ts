import { SeglogError, type SeglogErrorDetail } from '../errors/seglog-error.js'

interface ErrorRow {
  readonly code: number
  /** True if the same request may succeed later without a change. */
  readonly retriable: boolean
  /** What went wrong and, where there is something, what to do. */
  readonly message: string
}

/** Kafka's protocol errors by name: numbers, names and retriability are those of Kafka 4.3. */
export const protocolErrors = {
  UNKNOWN_SERVER_ERROR: {
    code: -1,
    retriable: false,
    message: 'the broker failed in a way it has no name for; its log says more',
  },
  NONE: { code: 0, retriable: false, message: 'no error' },
  OFFSET_OUT_OF_RANGE: {
    code: 1,
    retriable: false,
    message: 'the offset lies outside the log; seek to one between its start and its end',
  },
  CORRUPT_MESSAGE: {
    code: 2,
    retriable: true,
    message: 'the batch fails its checksum or its structure is broken; encode and send it again',
  },
  UNKNOWN_TOPIC_OR_PARTITION: {
    code: 3,
    retriable: true,
    message: 'this topic or partition does not exist here; create it or check the name',
  },
  INVALID_FETCH_SIZE: { code: 4, retriable: false, message: 'the fetch asks for an impossible number of bytes' },
  LEADER_NOT_AVAILABLE: { code: 5, retriable: true, message: 'the partition has no leader at the moment; try again' },
  NOT_LEADER_OR_FOLLOWER: {
    code: 6,
    retriable: true,
    message: 'this broker does not hold the partition; refresh the metadata',
  },
  REQUEST_TIMED_OUT: { code: 7, retriable: true, message: 'the request took longer than its timeout allows' },
  BROKER_NOT_AVAILABLE: { code: 8, retriable: false, message: 'the broker cannot be reached' },
  REPLICA_NOT_AVAILABLE: { code: 9, retriable: true, message: 'the replica cannot be read at the moment' },
  MESSAGE_TOO_LARGE: {
    code: 10,
    retriable: false,
    message: 'the batch is larger than max.message.bytes; send less at once or raise it',
  },
  STALE_CONTROLLER_EPOCH: { code: 11, retriable: false, message: 'another controller has taken over' },
  OFFSET_METADATA_TOO_LARGE: {
    code: 12,
    retriable: false,
    message: 'the metadata stored with a committed offset is too long',
  },
  NETWORK_EXCEPTION: { code: 13, retriable: true, message: 'the connection ended before the answer came' },
  COORDINATOR_LOAD_IN_PROGRESS: { code: 14, retriable: true, message: 'the coordinator is still loading; try again' },
  COORDINATOR_NOT_AVAILABLE: { code: 15, retriable: true, message: 'no coordinator is available yet; try again' },
  NOT_COORDINATOR: { code: 16, retriable: true, message: 'another broker coordinates this; look it up again' },
  INVALID_TOPIC_EXCEPTION: {
    code: 17,
    retriable: false,
    message: 'the topic name or the operation on this topic is not allowed',
  },
  RECORD_LIST_TOO_LARGE: {
    code: 18,
    retriable: false,
    message: 'the batch is larger than segment.bytes; send less at once or raise it',
  },
  NOT_ENOUGH_REPLICAS: {
    code: 19,
    retriable: true,
    message: 'fewer replicas are in sync than min.insync.replicas demands; nothing was written',
  },
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: {
    code: 20,
    retriable: true,
    message: 'written, but to fewer in-sync replicas than min.insync.replicas demands',
  },
  INVALID_REQUIRED_ACKS: { code: 21, retriable: false, message: 'acks must be 0, 1 or -1 (all)' },
  ILLEGAL_GENERATION: { code: 22, retriable: false, message: 'the group has moved on to another generation' },
  INCONSISTENT_GROUP_PROTOCOL: {
    code: 23,
    retriable: false,
    message: "the member shares no protocol with the group's other members",
  },
  INVALID_GROUP_ID: { code: 24, retriable: false, message: 'the group id is not valid' },
  UNKNOWN_MEMBER_ID: { code: 25, retriable: false, message: 'the group does not know this member; join again' },
  INVALID_SESSION_TIMEOUT: {
    code: 26,
    retriable: false,
    message: 'the session timeout is outside what the broker allows',
  },
  REBALANCE_IN_PROGRESS: { code: 27, retriable: false, message: 'the group is being rebalanced; join again' },
  INVALID_COMMIT_OFFSET_SIZE: { code: 28, retriable: false, message: 'the offsets to commit are too large together' },
  TOPIC_AUTHORIZATION_FAILED: { code: 29, retriable: false, message: 'not allowed on this topic' },
  GROUP_AUTHORIZATION_FAILED: { code: 30, retriable: false, message: 'not allowed on this group' },
  CLUSTER_AUTHORIZATION_FAILED: { code: 31, retriable: false, message: 'not allowed on this cluster' },
  INVALID_TIMESTAMP: {
    code: 32,
    retriable: false,
    message: 'a timestamp is further from the clock than the topic allows',
  },
  UNSUPPORTED_SASL_MECHANISM: { code: 33, retriable: false, message: 'the broker does not offer this SASL mechanism' },
  ILLEGAL_SASL_STATE: {
    code: 34,
    retriable: false,
    message: 'the request does not fit the state of the authentication',
  },
  UNSUPPORTED_VERSION: { code: 35, retriable: false, message: 'the broker does not speak this version of the API' },
  TOPIC_ALREADY_EXISTS: { code: 36, retriable: false, message: 'a topic of this name exists' },
  INVALID_PARTITIONS: { code: 37, retriable: false, message: 'the number of partitions is not valid' },
  INVALID_REPLICATION_FACTOR: {
    code: 38,
    retriable: false,
    message: 'the replication factor is below 1 or above the number of brokers',
  },
  INVALID_REPLICA_ASSIGNMENT: {
    code: 39,
    retriable: false,
    message: 'the assignment of replicas to brokers is not valid',
  },
  INVALID_CONFIG: { code: 40, retriable: false, message: 'a config key or value is not valid' },
  NOT_CONTROLLER: { code: 41, retriable: true, message: 'another broker is the controller; refresh the metadata' },
  INVALID_REQUEST: { code: 42, retriable: false, message: 'the request contradicts itself or the protocol' },
  UNSUPPORTED_FOR_MESSAGE_FORMAT: { code: 43, retriable: false, message: 'the record format in use cannot do this' },
  POLICY_VIOLATION: { code: 44, retriable: false, message: 'a policy of the broker forbids it' },
  OUT_OF_ORDER_SEQUENCE_NUMBER: {
    code: 45,
    retriable: false,
    message: 'the sequence number does not follow the last one of this producer; a batch is missing or came late',
  },
  DUPLICATE_SEQUENCE_NUMBER: {
    code: 46,
    retriable: false,
    message: 'the sequence number was used before, longer ago than the broker remembers batches',
  },
  INVALID_PRODUCER_EPOCH: {
    code: 47,
    retriable: false,
    message: 'the producer epoch is older than the one in the log',
  },
  INVALID_TXN_STATE: { code: 48, retriable: false, message: 'the transaction is not in a state that permits this' },
  INVALID_PRODUCER_ID_MAPPING: {
    code: 49,
    retriable: false,
    message: 'the producer id does not belong to this transactional id',
  },
  INVALID_TRANSACTION_TIMEOUT: {
    code: 50,
    retriable: false,
    message: 'the transaction timeout is above transaction.max.timeout.ms',
  },
  CONCURRENT_TRANSACTIONS: {
    code: 51,
    retriable: true,
    message: 'the previous change of this transaction is not finished; try again',
  },
  TRANSACTION_COORDINATOR_FENCED: {
    code: 52,
    retriable: false,
    message: 'the marker comes from a coordinator that has been replaced',
  },
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: {
    code: 53,
    retriable: false,
    message: 'not allowed on this transactional id',
  },
  SECURITY_DISABLED: { code: 54, retriable: false, message: 'the broker runs without the security feature this needs' },
  OPERATION_NOT_ATTEMPTED: {
    code: 55,
    retriable: false,
    message: 'not tried, because another operation of the same request failed',
  },
  KAFKA_STORAGE_ERROR: { code: 56, retriable: true, message: 'the disk failed under the log; see the cause' },
  LOG_DIR_NOT_FOUND: { code: 57, retriable: false, message: 'the broker has no such log directory' },
  SASL_AUTHENTICATION_FAILED: { code: 58, retriable: false, message: 'authentication failed' },
  UNKNOWN_PRODUCER_ID: {
    code: 59,
    retriable: false,
    message: 'the broker keeps no state for this producer id any more',
  },
  REASSIGNMENT_IN_PROGRESS: { code: 60, retriable: false, message: 'the partition is being reassigned' },
  DELEGATION_TOKEN_AUTH_DISABLED: { code: 61, retriable: false, message: 'delegation tokens are switched off' },
  DELEGATION_TOKEN_NOT_FOUND: { code: 62, retriable: false, message: 'the broker does not know this delegation token' },
  DELEGATION_TOKEN_OWNER_MISMATCH: {
    code: 63,
    retriable: false,
    message: 'the principal may not renew this delegation token',
  },
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: {
    code: 64,
    retriable: false,
    message: 'delegation tokens need a connection authenticated by other means',
  },
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: {
    code: 65,
    retriable: false,
    message: 'not allowed on this delegation token',
  },
  DELEGATION_TOKEN_EXPIRED: { code: 66, retriable: false, message: 'the delegation token has expired' },
  INVALID_PRINCIPAL_TYPE: { code: 67, retriable: false, message: 'the kind of principal is not supported' },
  NON_EMPTY_GROUP: { code: 68, retriable: false, message: 'the group still has members' },
  GROUP_ID_NOT_FOUND: { code: 69, retriable: false, message: 'there is no such group' },
  FETCH_SESSION_ID_NOT_FOUND: { code: 70, retriable: true, message: 'the fetch session is gone; start a new one' },
  INVALID_FETCH_SESSION_EPOCH: {
    code: 71,
    retriable: true,
    message: 'the fetch session is out of step; start a new one',
  },
  LISTENER_NOT_FOUND: { code: 72, retriable: true, message: 'the leader does not listen where this request came in' },
  TOPIC_DELETION_DISABLED: {
    code: 73,
    retriable: false,
    message: 'deleting topics is switched off (delete.topic.enable)',
  },
  FENCED_LEADER_EPOCH: {
    code: 74,
    retriable: true,
    message: "the reader's leader epoch is older than the partition's; refresh the metadata",
  },
  UNKNOWN_LEADER_EPOCH: {
    code: 75,
    retriable: true,
    message: "the reader's leader epoch is newer than the partition's; try again",
  },
  UNSUPPORTED_COMPRESSION_TYPE: {
    code: 76,
    retriable: false,
    message: 'this version of the API does not permit the codec',
  },
  STALE_BROKER_EPOCH: { code: 77, retriable: false, message: 'the broker has registered again since' },
  OFFSET_NOT_AVAILABLE: {
    code: 78,
    retriable: true,
    message: 'the new leader does not know its high watermark yet; try again',
  },
  MEMBER_ID_REQUIRED: { code: 79, retriable: false, message: 'join again with the member id given in this answer' },
  PREFERRED_LEADER_NOT_AVAILABLE: { code: 80, retriable: true, message: 'the preferred leader is not available' },
  GROUP_MAX_SIZE_REACHED: { code: 81, retriable: false, message: 'the group is full' },
  FENCED_INSTANCE_ID: { code: 82, retriable: false, message: 'another member has taken over this group.instance.id' },
  ELIGIBLE_LEADERS_NOT_AVAILABLE: {
    code: 83,
    retriable: true,
    message: 'no replica may lead the partition at the moment',
  },
  ELECTION_NOT_NEEDED: { code: 84, retriable: true, message: 'the partition has the leader it should have' },
  NO_REASSIGNMENT_IN_PROGRESS: { code: 85, retriable: false, message: 'no reassignment of this partition is going on' },
  GROUP_SUBSCRIBED_TO_TOPIC: { code: 86, retriable: false, message: 'the group still reads this topic' },
  INVALID_RECORD: {
    code: 87,
    retriable: false,
    message: 'a record breaks a rule of the topic or of the record format',
  },
  UNSTABLE_OFFSET_COMMIT: { code: 88, retriable: true, message: 'a transaction over these offsets is open; try again' },
  THROTTLING_QUOTA_EXCEEDED: { code: 89, retriable: true, message: 'a quota is used up; try again later' },
  PRODUCER_FENCED: {
    code: 90,
    retriable: false,
    message: 'a newer producer with the same transactional id has taken over',
  },
  RESOURCE_NOT_FOUND: { code: 91, retriable: false, message: 'there is no such resource' },
  DUPLICATE_RESOURCE: { code: 92, retriable: false, message: 'the request names a resource twice' },
  UNACCEPTABLE_CREDENTIAL: { code: 93, retriable: false, message: 'the credential does not meet the requirements' },
  INCONSISTENT_VOTER_SET: { code: 94, retriable: false, message: 'the two sides disagree about the voters' },
  INVALID_UPDATE_VERSION: { code: 95, retriable: false, message: 'the version to update to is not valid' },
  FEATURE_UPDATE_FAILED: { code: 96, retriable: false, message: 'the feature could not be updated' },
  PRINCIPAL_DESERIALIZATION_FAILURE: { code: 97, retriable: false, message: 'the forwarded principal cannot be read' },
  SNAPSHOT_NOT_FOUND: { code: 98, retriable: false, message: 'there is no such snapshot' },
  POSITION_OUT_OF_RANGE: { code: 99, retriable: false, message: 'the position lies outside the snapshot' },
  UNKNOWN_TOPIC_ID: { code: 100, retriable: true, message: 'no topic has this id; refresh the metadata' },
  DUPLICATE_BROKER_REGISTRATION: { code: 101, retriable: false, message: 'the broker id is taken' },
  BROKER_ID_NOT_REGISTERED: { code: 102, retriable: false, message: 'no broker of this id is registered' },
  INCONSISTENT_TOPIC_ID: { code: 103, retriable: true, message: 'the log belongs to a topic with another id' },
  INCONSISTENT_CLUSTER_ID: { code: 104, retriable: false, message: 'the request is meant for another cluster' },
  TRANSACTIONAL_ID_NOT_FOUND: { code: 105, retriable: false, message: 'there is no such transactional id' },
  FETCH_SESSION_TOPIC_ID_ERROR: {
    code: 106,
    retriable: true,
    message: 'the fetch session mixes topic names and ids; start a new one',
  },
  INELIGIBLE_REPLICA: { code: 107, retriable: false, message: 'a replica of the new set may not be in it' },
  NEW_LEADER_ELECTED: { code: 108, retriable: false, message: 'the change was made and a new leader elected' },
  OFFSET_MOVED_TO_TIERED_STORAGE: {
    code: 109,
    retriable: false,
    message: 'the records at this offset are in tiered storage',
  },
  FENCED_MEMBER_EPOCH: {
    code: 110,
    retriable: false,
    message: 'the group has fenced this member; give up all partitions and join again',
  },
  UNRELEASED_INSTANCE_ID: { code: 111, retriable: false, message: 'another member still holds this instance id' },
  UNSUPPORTED_ASSIGNOR: { code: 112, retriable: false, message: 'the group does not know this assignor' },
  STALE_MEMBER_EPOCH: {
    code: 113,
    retriable: false,
    message: 'the member epoch is out of date; take it from the next heartbeat',
  },
  MISMATCHED_ENDPOINT_TYPE: { code: 114, retriable: false, message: 'the request went to the wrong kind of endpoint' },
  UNSUPPORTED_ENDPOINT_TYPE: { code: 115, retriable: false, message: 'this kind of endpoint is not supported' },
  UNKNOWN_CONTROLLER_ID: { code: 116, retriable: false, message: 'there is no controller with this id' },
  UNKNOWN_SUBSCRIPTION_ID: { code: 117, retriable: false, message: 'the telemetry subscription is out of date' },
  TELEMETRY_TOO_LARGE: { code: 118, retriable: false, message: 'the telemetry is larger than the broker takes' },
  INVALID_REGISTRATION: {
    code: 119,
    retriable: false,
    message: 'the controller refuses the registration of the broker',
  },
  TRANSACTION_ABORTABLE: {
    code: 120,
    retriable: false,
    message: 'the transaction failed and must be aborted; the transactional id can go on',
  },
  INVALID_RECORD_STATE: {
    code: 121,
    retriable: false,
    message: 'the record is not in a state that can be acknowledged',
  },
  SHARE_SESSION_NOT_FOUND: { code: 122, retriable: true, message: 'the share session is gone; start a new one' },
  INVALID_SHARE_SESSION_EPOCH: {
    code: 123,
    retriable: true,
    message: 'the share session is out of step; start a new one',
  },
  FENCED_STATE_EPOCH: { code: 124, retriable: false, message: 'the share group state has a newer epoch' },
  INVALID_VOTER_KEY: { code: 125, retriable: false, message: 'the voter key is not that of the replica' },
  DUPLICATE_VOTER: { code: 126, retriable: false, message: 'the voter is in the set already' },
  VOTER_NOT_FOUND: { code: 127, retriable: false, message: 'the voter is not in the set' },
  INVALID_REGULAR_EXPRESSION: { code: 128, retriable: false, message: 'the regular expression cannot be compiled' },
  REBOOTSTRAP_REQUIRED: {
    code: 129,
    retriable: false,
    message: 'the metadata is too old; start again from the bootstrap servers',
  },
  STREAMS_INVALID_TOPOLOGY: { code: 130, retriable: false, message: 'the topology is not valid' },
  STREAMS_INVALID_TOPOLOGY_EPOCH: { code: 131, retriable: false, message: 'the topology epoch is not valid' },
  STREAMS_TOPOLOGY_FENCED: { code: 132, retriable: false, message: 'the topology epoch is out of date' },
  SHARE_SESSION_LIMIT_REACHED: { code: 133, retriable: true, message: 'too many share sessions are open' },
} as const satisfies Record<string, ErrorRow>

export type ProtocolErrorName = keyof typeof protocolErrors

const names = new Map<number, ProtocolErrorName>()
for (const name of Object.keys(protocolErrors) as ProtocolErrorName[]) names.set(protocolErrors[name].code, name)

/** The name of an error code; a code this table does not know is UNKNOWN_SERVER_ERROR, as in Kafka's clients. */
export function errorName(code: number): ProtocolErrorName {
  return names.get(code) ?? 'UNKNOWN_SERVER_ERROR'
}

export function isRetriable(code: number): boolean {
  return protocolErrors[errorName(code)].retriable
}

/**
 * A SeglogError for a protocol error: its `code` is Kafka's name. `message` replaces the general words where the
 * place that found the error can say more.
 */
export function protocolError(
  error: ProtocolErrorName | number,
  message?: string | null,
  detail?: SeglogErrorDetail,
): SeglogError {
  const name = typeof error === 'number' ? errorName(error) : error
  const row: ErrorRow = protocolErrors[name]
  const unknown = typeof error === 'number' && !names.has(error) ? ` (error code ${error})` : ''
  return new SeglogError(name, (message ?? row.message) + unknown, { retriable: row.retriable, ...detail })
}
