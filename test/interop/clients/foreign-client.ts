/** What the matrix asks of a client that nobody here wrote. Each has a program in `programs/` that speaks for it. */

export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof codecs)[number]

/** A record to write; `null` key and value are Kafka's nulls. */
export interface GivenRecord {
  partition: number
  key: string | null
  value: string | null
  headers?: [name: string, value: string | null][]
  /** Milliseconds; the client's clock where absent. */
  timestamp?: number
}

export interface FoundRecord {
  partition: number
  offset: number
  key: string | null
  value: string | null
  headers: [name: string, value: string | null][]
  timestamp: number
}

export interface ProduceJob {
  bootstrap: string
  topic: string
  records: GivenRecord[]
  codec?: Codec
  /** Default 'all'. */
  acks?: 'all' | 1 | 0
  idempotent?: boolean
  /** Records that may go together, where the client batches by itself; 1 sends each alone and waits for it. */
  perBatch?: number
  /** Keeps trying across lost connections for minutes. */
  patient?: boolean
}

export interface ConsumeJob {
  bootstrap: string
  topic: string
  partitions: number
  count: number
  /** First offset, or the first record at or after a time in milliseconds. */
  from: 'earliest' | { timestamp: number }
}

export type ClassicAssignor = 'range' | 'roundrobin' | 'sticky' | 'cooperative'
/** Of the broker, for members that speak the consumer protocol (KIP-848). */
export type BrokerAssignor = 'uniform' | 'broker-range'
export type Assignor = ClassicAssignor | BrokerAssignor

export interface JoinJob {
  bootstrap: string
  /** Name of this member within the tests. */
  member: string
  group: string
  topics: string[]
  /** In place of topics, where the broker resolves it: a regular expression. */
  pattern?: string
  assignor: Assignor
  /** group.instance.id: static membership. */
  instance?: string
  sessionMs?: number
}

/** Something a member did. `at` is the machine's monotonic clock in nanoseconds, the same in every process. */
export type MemberEvent = { member: string; at: bigint } & (
  | { on: 'assigned'; partitions: TopicPartition[] }
  | { on: 'revoked'; partitions: TopicPartition[] }
  /** Records handed to the application, before it did anything with them. */
  | { on: 'records'; records: (TopicPartition & { offset: number; value: string })[] }
  /** A commit that the broker has acknowledged. */
  | { on: 'committed'; offsets: (TopicPartition & { offset: number })[] }
  | { on: 'failed'; message: string }
)

export interface TopicPartition {
  topic: string
  partition: number
}

/** A process with any number of group members in it. */
export interface MemberHost {
  join(job: JoinJob): Promise<void>
  /** Leaves the group in an orderly way. A static member closes without leaving, where its client does so. */
  leave(member: string): Promise<void>
  /** kill -9 of the process with all its members. */
  kill(): Promise<void>
  /** Leaves with every member still there and ends the process. */
  close(): Promise<void>
  readonly events: readonly MemberEvent[]
  /** The end of what it wrote on stderr. */
  complaints(): string
}

/** The answer of an admin call: what the client says, in plain data; an error as the client names it. */
export type AdminAnswer = { ok: unknown } | { error: string }

export interface ForeignClient {
  readonly name: string
  readonly codecs: readonly Codec[]
  readonly assignors: readonly ClassicAssignor[]
  /** Puts the client into the cache where it is not there yet; throws where that fails. */
  install(): Promise<void>
  produce(job: ProduceJob): Promise<void>
  consume(job: ConsumeJob): Promise<FoundRecord[]>
  host(onEvent?: (event: MemberEvent) => void): Promise<MemberHost>
  /** Ends whatever the client still runs. */
  close(): Promise<void>
}
