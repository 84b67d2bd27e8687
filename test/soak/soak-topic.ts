import { PartitionLedger } from './partition-ledger.js'

/**
 * `steady` topics are written and read, and nothing else; of `trimmed` ones the oldest records are deleted while they are
 * read, and `fleeting` ones are deleted themselves.
 */
export type TopicKind = 'steady' | 'trimmed' | 'fleeting'

/** One topic from its making to its deletion. */
export class SoakTopic {
  readonly partitions: readonly PartitionLedger[]
  isDeleted = false

  /** `incarnation`: a number that no other topic of the soak has. */
  constructor(
    readonly kind: TopicKind,
    readonly name: string,
    readonly id: string,
    readonly incarnation: number,
    partitions: number,
  ) {
    this.partitions = Array.from({ length: partitions }, (_, index) => new PartitionLedger(incarnation, index))
  }

  /** What may come in place of what was asked for, by codes. */
  get excuses(): readonly number[] {
    return excuses[this.kind]
  }
}

const offsetOutOfRange = 1
const unknownTopicOrPartition = 3
const notLeaderOrFollower = 6
const unknownTopicId = 100

const excuses: Readonly<Record<TopicKind, readonly number[]>> = {
  steady: [],
  trimmed: [offsetOutOfRange],
  fleeting: [offsetOutOfRange, unknownTopicOrPartition, notLeaderOrFollower, unknownTopicId],
}
