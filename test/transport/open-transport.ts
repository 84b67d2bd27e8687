import { onTestFinished } from 'vitest'
import { openEngine } from '../../ts/native/open-engine.js'
import { parseKafkaTarget } from '../../ts/transport/tcp-address.js'
import { type TcpOptions, tcpSettings } from '../../ts/transport/tcp-settings.js'
import { TcpTransport } from '../../ts/transport/tcp-transport.js'
import type { FakeCluster } from './fake-broker.js'

/** Short pauses, so that tests need not wait for them. */
export const quickRetry = { initialRetryTime: 1, maxRetryTime: 5 }

/** A transport to a fake cluster, closed when the test ends. */
export async function openTransport(cluster: FakeCluster, options: TcpOptions = {}): Promise<TcpTransport> {
  const settings = tcpSettings({ retry: quickRetry, ...options })
  const engine = openEngine()
  const transport = await TcpTransport.open(parseKafkaTarget(cluster.target), settings, (bytes) => engine.crc32c(bytes))
  onTestFinished(() => transport.close())
  return transport
}

/** Questions that tests ask when any will do. */
export const describeCluster = {
  includeClusterAuthorizedOperations: false,
  endpointType: 1,
  includeFencedBrokers: false,
}

export function listOffsets(topic: string, ...partitions: number[]) {
  const asked = partitions.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp: -1n }))
  return { replicaId: -1, isolationLevel: 0, topics: [{ name: topic, partitions: asked }], timeoutMs: 1000 }
}

export function fetchOf(topic: string, partitions: readonly number[], maxWaitMs = 0) {
  const asked = partitions.map((partition) => ({
    partition,
    currentLeaderEpoch: -1,
    fetchOffset: 0n,
    lastFetchedEpoch: -1,
    logStartOffset: -1n,
    partitionMaxBytes: 1 << 20,
  }))
  return {
    replicaId: -1,
    maxWaitMs,
    minBytes: 1,
    maxBytes: 1 << 20,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic, topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitions: asked }],
    forgottenTopicsData: [],
    rackId: '',
  }
}
