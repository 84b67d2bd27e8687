import type { FetchPartitionResponse, FetchResponse } from '../../ts/protocol/messages/01-fetch.js'
import { RecordBatchReader } from '../../ts/records/record-batch-reader.js'
import { type BatchName, checkBatch } from './content.js'
import type { SoakTopic } from './soak-topic.js'

/** One partition of a fetch. */
export interface Asked {
  readonly topic: SoakTopic
  readonly partition: number
  readonly offset: number
  readonly maxBytes: number
  /** What had been acknowledged when it was asked for. */
  readonly endOffset: number
}

export interface FoundBatch extends BatchName {
  readonly baseOffset: number
  readonly count: number
  readonly sizeBytes: number
}

/** What came of one partition. */
export interface Found {
  readonly asked: Asked
  readonly errorCode: number
  readonly endOffset: number
  readonly batches: readonly FoundBatch[]
}

/**
 * Checks an answer to a fetch of `asked`, in that order: each byte of the records, that they begin where they were asked
 * for and have no gaps, and how much came. Throws where something is not right.
 */
export function checkFetch(response: FetchResponse, asked: readonly Asked[], maxBytes: number): Found[] {
  if (response.errorCode !== 0) throw new Error(`a fetch was answered with ${response.errorCode}`)
  const parts = response.responses.flatMap(({ partitions }) => partitions)
  if (parts.length !== asked.length) throw new Error(`${parts.length} partitions came for ${asked.length}`)
  const found = asked.map((one, index) => checkPart(parts[index]!, one))
  checkSize(found, parts, maxBytes)
  return found
}

function checkPart(part: FetchPartitionResponse, asked: Asked): Found {
  const { topic, partition, offset } = asked
  const { errorCode, partitionIndex } = part
  if (partitionIndex !== partition) throw new Error(`partition ${partitionIndex} came in the place of ${partition}`)
  if (errorCode !== 0) {
    if (!topic.excuses.includes(errorCode)) throw new Error(`${placeOf(asked)} was answered with ${errorCode}`)
    return { asked, errorCode, endOffset: -1, batches: [] }
  }
  const endOffset = Number(part.highWatermark)
  if (endOffset < asked.endOffset) throw new Error(`${placeOf(asked)} ends at ${endOffset}, it had ${asked.endOffset}`)
  if (part.lastStableOffset !== part.highWatermark) throw new Error(`${placeOf(asked)} has an open transaction`)
  const batches: FoundBatch[] = []
  let next = offset
  for (const batch of new RecordBatchReader(bufferOf(part), { allowCutTail: true })) {
    const { baseOffset, lastOffset, recordCount: count, sizeBytes } = batch.header
    const isNext = batches.length === 0 ? baseOffset <= next && next <= lastOffset : baseOffset === next
    if (!isNext) throw new Error(`${placeOf(asked)} has offsets ${baseOffset} to ${lastOffset} where ${next} is due`)
    const found = { ...checkBatch(batch, topic.incarnation, partition), baseOffset, count, sizeBytes }
    topic.partitions[partition]!.read(baseOffset, found)
    batches.push(found)
    next = lastOffset + 1
  }
  if (next > endOffset) throw new Error(`${placeOf(asked)} ends at ${endOffset}, records up to ${next} came`)
  return { asked, errorCode, endOffset, batches }
}

/**
 * One batch comes in any case, where there is one. A limit is passed by one batch at most: the first of a partition is
 * given whole.
 */
function checkSize(found: readonly Found[], parts: readonly FetchPartitionResponse[], maxBytes: number): void {
  const batches = found.flatMap((one) => one.batches)
  const isThere = found.some(({ asked, errorCode, endOffset }) => errorCode === 0 && asked.offset < endOffset)
  if (isThere && batches.length === 0)
    throw new Error(`nothing came of ${found.map(({ asked }) => placeOf(asked)).join(', ')}`)
  const bytes = parts.reduce((sum, { records }) => sum + (records?.length ?? 0), 0)
  if (bytes - (batches.at(-1)?.sizeBytes ?? 0) > maxBytes)
    throw new Error(`${bytes} bytes came for at most ${maxBytes}`)
  for (const [index, { asked, batches }] of found.entries()) {
    const size = parts[index]!.records?.length ?? 0
    if (size <= asked.maxBytes || batches.length === 1) continue
    throw new Error(`${placeOf(asked)}: ${size} bytes came for at most ${asked.maxBytes}`)
  }
}

function bufferOf({ records }: FetchPartitionResponse): Buffer {
  const { buffer, byteOffset, length } = records as Uint8Array
  return Buffer.from(buffer, byteOffset, length)
}

function placeOf({ topic, partition, offset }: Asked): string {
  return `${topic.name}-${partition} (topic ${topic.incarnation}) from ${offset}`
}
