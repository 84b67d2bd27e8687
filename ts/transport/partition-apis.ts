import { apiKey, type RequestOf, type ResponseOf } from '../protocol/apis.js'
import { protocolErrors } from '../protocol/errors.js'
import { groupedBy } from './grouping.js'

/** What a request or an answer says about one partition. */
export interface PlacedPart<Part> {
  readonly topic: string
  readonly partition: number
  readonly part: Part
}

/** An API whose requests are about partitions, each of which is for its leader to answer. */
export interface PartitionApi<Request, Response, Asked, Answer> {
  parts(request: Request): PlacedPart<Asked>[]
  /** The same request about these partitions only. */
  request(whole: Request, parts: readonly PlacedPart<Asked>[]): Request
  answers(response: Response): PlacedPart<Answer>[]
  /** An answer of these parts. */
  response(parts: readonly PlacedPart<Answer>[]): Response
  errorOf(part: Answer): number
  /** The answer for a partition that could not be asked about. */
  failed(partition: number, errorCode: number): Answer
}

interface Topic<Part> {
  readonly name: string
  readonly partitions: readonly Part[]
}

function flat<Part>(topics: readonly Topic<Part>[], indexOf: (part: Part) => number): PlacedPart<Part>[] {
  return topics.flatMap(({ name, partitions }) => {
    return partitions.map((part) => ({ topic: name, partition: indexOf(part), part }))
  })
}

function topicsOf<Part>(parts: readonly PlacedPart<Part>[]): Topic<Part>[] {
  const topics = groupedBy(parts, ({ topic }) => topic)
  return Array.from(topics, ([name, placed]) => ({ name, partitions: placed.map(({ part }) => part) }))
}

interface IndexedPart {
  readonly partitionIndex: number
}

interface IndexedAnswer extends IndexedPart {
  readonly errorCode: number
}

function indexOf({ partitionIndex }: IndexedPart): number {
  return partitionIndex
}

/** Answers that have their partitions by index, under the names of topics. */
const answersByIndex = {
  answers: <Answer extends IndexedAnswer>({ topics }: { topics: readonly Topic<Answer>[] }) => flat(topics, indexOf),
  response: <Answer extends IndexedAnswer>(parts: readonly PlacedPart<Answer>[]) => {
    return { throttleTimeMs: 0, topics: topicsOf(parts) }
  },
  errorOf: ({ errorCode }: IndexedAnswer) => errorCode,
}

type ListOffsets = RequestOf<typeof apiKey.listOffsets>
type ListOffsetsAnswer = ResponseOf<typeof apiKey.listOffsets>

const listOffsets: PartitionApi<
  ListOffsets,
  ListOffsetsAnswer,
  ListOffsets['topics'][number]['partitions'][number],
  ListOffsetsAnswer['topics'][number]['partitions'][number]
> = {
  ...answersByIndex,
  parts: ({ topics }) => flat(topics, indexOf),
  request: (whole, parts) => ({ ...whole, topics: topicsOf(parts) }),
  failed: (partitionIndex, errorCode) => ({ partitionIndex, errorCode, timestamp: -1n, offset: -1n, leaderEpoch: -1 }),
}

type DeleteRecords = RequestOf<typeof apiKey.deleteRecords>
type DeleteRecordsAnswer = ResponseOf<typeof apiKey.deleteRecords>

const deleteRecords: PartitionApi<
  DeleteRecords,
  DeleteRecordsAnswer,
  DeleteRecords['topics'][number]['partitions'][number],
  DeleteRecordsAnswer['topics'][number]['partitions'][number]
> = {
  ...answersByIndex,
  parts: ({ topics }) => flat(topics, indexOf),
  request: (whole, parts) => ({ ...whole, topics: topicsOf(parts) }),
  failed: (partitionIndex, errorCode) => ({ partitionIndex, errorCode, lowWatermark: -1n }),
}

type EpochEnds = RequestOf<typeof apiKey.offsetForLeaderEpoch>
type EpochEndsAnswer = ResponseOf<typeof apiKey.offsetForLeaderEpoch>

const epochEnds: PartitionApi<
  EpochEnds,
  EpochEndsAnswer,
  EpochEnds['topics'][number]['partitions'][number],
  EpochEndsAnswer['topics'][number]['partitions'][number]
> = {
  parts: ({ topics }) => flat(topics.map(named), ({ partition }) => partition),
  request: (whole, parts) => ({ ...whole, topics: topicsOf(parts).map(unnamed) }),
  answers: ({ topics }) => flat(topics.map(named), ({ partition }) => partition),
  response: (parts) => ({ throttleTimeMs: 0, topics: topicsOf(parts).map(unnamed) }),
  errorOf: ({ errorCode }) => errorCode,
  failed: (partition, errorCode) => ({ errorCode, partition, leaderEpoch: -1, endOffset: -1n }),
}

function named<Part>({ topic, partitions }: { topic: string; partitions: readonly Part[] }): Topic<Part> {
  return { name: topic, partitions }
}

function unnamed<Part>({ name, partitions }: Topic<Part>): { topic: string; partitions: readonly Part[] } {
  return { topic: name, partitions }
}

type Producers = RequestOf<typeof apiKey.describeProducers>
type ProducersAnswer = ResponseOf<typeof apiKey.describeProducers>

const producers: PartitionApi<
  Producers,
  ProducersAnswer,
  number,
  ProducersAnswer['topics'][number]['partitions'][number]
> = {
  ...answersByIndex,
  parts({ topics }) {
    const lists = topics.map(({ name, partitionIndexes }) => ({ name, partitions: partitionIndexes }))
    return flat(lists, (index) => index)
  },
  request: (_whole, parts) => ({
    topics: topicsOf(parts).map(({ name, partitions }) => ({ name, partitionIndexes: partitions })),
  }),
  failed: (partitionIndex, errorCode) => ({ partitionIndex, errorCode, errorMessage: null, activeProducers: [] }),
}

export const partitionApis = {
  [apiKey.listOffsets]: listOffsets,
  [apiKey.deleteRecords]: deleteRecords,
  [apiKey.offsetForLeaderEpoch]: epochEnds,
  [apiKey.describeProducers]: producers,
}

/** No leader is known for a partition of a topic that is there. */
export const noLeader = protocolErrors.LEADER_NOT_AVAILABLE.code
export const noSuchPartition = protocolErrors.UNKNOWN_TOPIC_OR_PARTITION.code
