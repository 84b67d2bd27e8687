import { defaultBackOff } from '../../ts/client/back-off.js'
import type { Transport } from '../../ts/client/transport.js'
import { apiKey } from '../../ts/protocol/apis.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import { RecordBatch } from '../../ts/records/record-batch.js'

/** A produce request as a fake broker sees it. */
export interface SeenBatch {
  topic: string
  partition: number
  acks: number
  values: string[]
  producerId: number
  baseSequence: number
  answer: (answer?: { errorCode?: number; baseOffset?: bigint }) => void
}

/** A broker whose answers to Produce are given by the test, when the test wants. */
export class FakeTransport implements Transport {
  readonly isRemote: boolean = false
  readonly backOff = defaultBackOff
  readonly seen: SeenBatch[] = []
  producerIds = 0

  constructor(private readonly partitions = 1) {}

  // The fake answers few APIs, with the few fields that the client reads.
  request(key: number, request: never): never {
    return this.answer(key, request) as never
  }

  nodeOf(): number {
    return 0
  }

  async close(): Promise<void> {}

  private answer(key: number, request: Record<string, never>): unknown {
    if (key === apiKey.metadata) {
      const partitions = Array.from({ length: this.partitions }, (_, partitionIndex) => ({ partitionIndex }))
      return { topics: [{ errorCode: 0, name: 't', topicId: zeroUuid, partitions }] }
    }
    if (key === apiKey.initProducerId) return { errorCode: 0, producerId: BigInt(++this.producerIds), producerEpoch: 0 }
    return this.produce(request as never)
  }

  private produce(request: {
    acks: number
    topicData: { name: string; partitionData: { index: number; records: Buffer }[] }[]
  }): Promise<unknown> {
    const { name: topic, partitionData } = request.topicData[0]
    const { index: partition, records } = partitionData[0]
    const batch = new RecordBatch(records)
    return new Promise((resolve) => {
      this.seen.push({
        topic,
        partition,
        acks: request.acks,
        values: [...batch].map(({ value }) => String(value)),
        producerId: batch.header.producerId,
        baseSequence: batch.header.baseSequence,
        answer: ({ errorCode = 0, baseOffset = 0n } = {}) => {
          const part = { index: partition, errorCode, baseOffset, logAppendTimeMs: -1n, errorMessage: null }
          resolve({ responses: [{ name: topic, partitionResponses: [part] }] })
        },
      })
    })
  }
}
