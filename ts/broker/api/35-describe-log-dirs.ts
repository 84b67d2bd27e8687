import { statfs } from 'node:fs/promises'
import { apiKey } from '../../protocol/apis.js'
import { protocolErrors } from '../../protocol/errors.js'
import type { DescribeLogDirsResponse } from '../../protocol/messages/35-describe-log-dirs.js'
import type { BrokerState } from '../broker-state.js'
import { Partition } from '../partition.js'
import type { Topic } from '../topics.js'
import { apiHandler } from './api-handler.js'
import { inTurns, paceFor } from './in-turns.js'

/** Versions 1-5. One log directory; sizes of partitions in use come from their logs, of others from their files. */
export const describeLogDirs = apiHandler(
  apiKey.describeLogDirs,
  '1-5',
  async (broker, request, context): Promise<DescribeLogDirsResponse> => {
    const asked = chosen(broker, request.topics)
    const pace = paceFor(
      context,
      asked.reduce((sum, { partitions }) => sum + partitions.length, 0),
    )
    if (pace !== undefined) await pace.next()
    const topics = await inTurns(asked, pace, async ({ topic, partitions }) => ({
      name: topic.name,
      partitions: await inTurns(partitions, pace, async (partitionIndex) => ({
        partitionIndex,
        partitionSize: BigInt(await sizeOf(broker, topic, partitionIndex)),
        offsetLag: 0n,
        isFutureKey: false,
      })),
    }))
    const { totalBytes, usableBytes } = await space(broker.logs.path)
    const result = {
      errorCode: broker.logs.offline ? protocolErrors.KAFKA_STORAGE_ERROR.code : 0,
      logDir: broker.logs.path,
      topics,
      totalBytes,
      usableBytes,
      isCordoned: false,
    }
    return { throttleTimeMs: 0, errorCode: 0, results: [result] }
  },
)

/** Of the file system; -1, "unknown", where it does not say. */
async function space(path: string): Promise<{ totalBytes: bigint; usableBytes: bigint }> {
  try {
    const { blocks, bavail, bsize } = await statfs(path, { bigint: true })
    return { totalBytes: blocks * bsize, usableBytes: bavail * bsize }
  } catch {
    return { totalBytes: -1n, usableBytes: -1n }
  }
}

type Chosen = { topic: Topic; partitions: number[] }[]

function chosen(
  broker: BrokerState,
  asked: readonly { topic: string; partitions: readonly number[] }[] | null,
): Chosen {
  if (asked === null) return Array.from(broker.topics.all, (topic) => ({ topic, partitions: allOf(topic) }))
  const indexes = new Map<Topic, Set<number>>()
  for (const { topic: name, partitions } of asked) {
    const topic = broker.topics.byName(name)
    if (topic === undefined) continue
    const found = indexes.get(topic) ?? new Set()
    indexes.set(topic, found)
    for (const index of partitions) if (index >= 0 && index < topic.record.partitions) found.add(index)
  }
  return Array.from(indexes, ([topic, found]) => ({ topic, partitions: [...found].sort((a, b) => a - b) }))
}

function allOf(topic: Topic): number[] {
  return Array.from({ length: topic.record.partitions }, (_, index) => index)
}

/** -1, "unknown", for files that cannot be looked at. */
async function sizeOf(broker: BrokerState, topic: Topic, index: number): Promise<number> {
  const partition = topic.partitions[index]
  if (partition instanceof Partition) return partition.log.size
  const { files } = broker.logs
  if (!broker.logs.isWritten(topic.name, index)) return 0
  const folder = `${topic.name}-${index}`
  try {
    if ((await files.stat(folder)) === null) return 0
    const logs = (await files.list(folder)).filter((name) => name.endsWith('.log'))
    const stats = await Promise.all(logs.map((name) => files.stat(`${folder}/${name}`)))
    return stats.reduce((sum, stat) => sum + (stat?.size ?? 0), 0)
  } catch {
    return -1
  }
}
