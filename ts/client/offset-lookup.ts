import { apiKey, type RequestOf } from '../protocol/apis.js'
import { offsetQuery } from '../protocol/messages/02-list-offsets.js'
import type { From } from './consumer-options.js'
import { throwErrorOf } from './response-error.js'
import type { Transport } from './transport.js'

const timeoutMs = 60_000

/**
 * The offsets at which to begin in some partitions of a topic. A time behind the last record means the end; an offset
 * is taken as it is.
 */
export async function lookUpOffsets(
  transport: Transport,
  topic: string,
  partitions: readonly number[],
  from: From,
): Promise<number[]> {
  if (typeof from === 'object' && 'offset' in from) return partitions.map(() => Number(from.offset))
  const found = await ask(transport, topic, partitions, queryOf(from))
  const missing = partitions.filter((_, index) => found[index] < 0)
  if (missing.length === 0) return found
  const ends = await ask(transport, topic, missing, offsetQuery.latest)
  return found.map((offset, index) => (offset < 0 ? ends[missing.indexOf(partitions[index])] : offset))
}

function queryOf(from: Exclude<From, { offset: unknown }>): bigint {
  if (typeof from === 'object') return BigInt(from.timestamp)
  return from === 'earliest' ? offsetQuery.earliest : offsetQuery.latest
}

/** In the order of `partitions`; -1 where there is none. */
async function ask(
  transport: Transport,
  topic: string,
  partitions: readonly number[],
  timestamp: bigint,
): Promise<number[]> {
  if (partitions.length === 0) return []
  const request: RequestOf<typeof apiKey.listOffsets> = {
    replicaId: -1,
    isolationLevel: 0,
    topics: [
      {
        name: topic,
        partitions: partitions.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp })),
      },
    ],
    timeoutMs,
  }
  const response = await transport.request(apiKey.listOffsets, request)
  return response.topics[0].partitions.map((part) => {
    throwErrorOf(part, { topic, partition: part.partitionIndex })
    return Number(part.offset)
  })
}
