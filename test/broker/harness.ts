import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { Broker, type BrokerOptions } from '../../ts/broker/broker.js'
import type { RequestContext } from '../../ts/broker/request-context.js'
import type { Logger } from '../../ts/log/logger.js'
import { type ApiKey, apiKey, apis, type RequestOf, type ResponseOf } from '../../ts/protocol/apis.js'
import { inMemory } from '../../ts/protocol/file-region.js'
import type { FetchPartitionResponse } from '../../ts/protocol/messages/01-fetch.js'
import type { Message, Records, StoredRecords } from '../../ts/protocol/schema.js'
import { create } from '../../ts/protocol/schema.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import type { Message as RecordMessage } from '../../ts/records/message.js'
import { type BatchFields, RecordBatchBuilder } from '../../ts/records/record-batch-builder.js'
import { RecordBatchReader } from '../../ts/records/record-batch-reader.js'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A folder of its own for one test. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'seglog-broker-'))
  cleanups.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Collects what is logged. */
export class LogLines implements Logger {
  readonly lines: { level: string; fields: object; message: string }[] = []
  readonly debug = this.#note('debug')
  readonly info = this.#note('info')
  readonly warn = this.#note('warn')
  readonly error = this.#note('error')

  #note(level: string) {
    return (fields: object, message: string): void => {
      this.lines.push({ level, fields, message })
    }
  }
}

export function contextFor(key: ApiKey, changes: Partial<RequestContext> = {}): RequestContext {
  return {
    apiVersion: apis[key].request.lastStable,
    clientId: 'test',
    clientHost: '127.0.0.1',
    listener: 'INTERNAL',
    principal: 'User:test',
    connectionId: '1',
    trusted: true,
    ...changes,
  }
}

/** One batch of these messages, without a CRC, as the library's producer hands it over. */
export function batchOf(
  messages: readonly (string | RecordMessage)[],
  fields: BatchFields = {},
  timestamp?: number,
): Buffer {
  const builder = new RecordBatchBuilder({ maxBytes: 16 * 1024 * 1024 })
  for (const message of messages) {
    builder.append(typeof message === 'string' ? { value: message } : message, timestamp)
  }
  return Buffer.from(builder.finish(fields))
}

/** Values of all records in the batches. */
export function valuesOf(stored: StoredRecords | null): string[] {
  const records = inMemory(stored)
  const values: string[] = []
  if (records === null) return values
  const reader = new RecordBatchReader(
    Buffer.isBuffer(records) ? records : Buffer.concat([records].flat() as Uint8Array[]),
  )
  for (let batch = reader.next(); batch !== null; batch = reader.next()) {
    const cursor = batch.inflateNow().cursor()
    while (cursor.next()) values.push(String(cursor.value()))
  }
  return values
}

/** A broker with the requests the tests make in few words. */
export class TestBroker {
  readonly broker: Broker

  private constructor(broker: Broker) {
    this.broker = broker
  }

  /** Closed after the test unless it was before. */
  static async open(target: string, options?: BrokerOptions): Promise<TestBroker> {
    const broker = await Broker.open(target, options)
    cleanups.push(() => broker.close().catch(() => {}))
    return new TestBroker(broker)
  }

  async ask<K extends ApiKey>(
    key: K,
    request: Partial<RequestOf<K>>,
    changes?: Partial<RequestContext>,
  ): Promise<ResponseOf<K>> {
    return this.broker.handle(key, this.request(key, request), contextFor(key, changes))
  }

  request<K extends ApiKey>(key: K, request: Partial<RequestOf<K>>): RequestOf<K> {
    const table: Message = apis[key].request
    return create(table, request as object) as unknown as RequestOf<K>
  }

  async createTopic(name: string, numPartitions = 1, configs: Record<string, string> = {}) {
    const response = await this.ask(apiKey.createTopics, {
      topics: [
        {
          name,
          numPartitions,
          replicationFactor: -1,
          assignments: [],
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        },
      ],
    })
    return response.topics[0]
  }

  produceRequest(topic: string, records: Records | null, { partition = 0, acks = 1, topicId = zeroUuid } = {}) {
    const partitionData = [{ index: partition, records }]
    return this.request(apiKey.produce, { acks, timeoutMs: 1000, topicData: [{ name: topic, topicId, partitionData }] })
  }

  async produce(
    topic: string,
    records: Records | null,
    where?: { partition?: number; acks?: number; topicId?: string },
    changes?: Partial<RequestContext>,
  ) {
    const request = this.produceRequest(topic, records, where)
    const response = await this.broker.handle(apiKey.produce, request, contextFor(apiKey.produce, changes))
    return response.responses[0].partitionResponses[0]
  }

  fetchRequest(topic: string, offset: number, options: FetchOptions = {}): RequestOf<1> {
    const { partition = 0, maxBytes = 1 << 20, minBytes = 1, maxWaitMs = 0, topicId = zeroUuid, ...more } = options
    const partitions = [
      {
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: BigInt(offset),
        lastFetchedEpoch: -1,
        logStartOffset: -1n,
        partitionMaxBytes: maxBytes,
        ...more,
      },
    ]
    return this.request(apiKey.fetch, { minBytes, maxWaitMs, topics: [{ topic, topicId, partitions }] })
  }

  async fetch(
    topic: string,
    offset: number,
    options?: FetchOptions,
    changes?: Partial<RequestContext>,
  ): Promise<FetchPartitionResponse> {
    const response = await this.broker.handle(
      apiKey.fetch,
      this.fetchRequest(topic, offset, options),
      contextFor(apiKey.fetch, changes),
    )
    return response.responses[0].partitions[0]
  }

  async listOffset(topic: string, timestamp: bigint, partition = 0) {
    const partitions = [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp }]
    const response = await this.ask(apiKey.listOffsets, { replicaId: -1, topics: [{ name: topic, partitions }] })
    return response.topics[0].partitions[0]
  }

  async describeTopic(topic: string, changes?: Partial<RequestContext>) {
    const request = { topics: [{ name: topic, topicId: zeroUuid }], allowAutoTopicCreation: false }
    return (await this.ask(apiKey.metadata, request, changes)).topics[0]
  }
}

interface FetchOptions {
  partition?: number
  maxBytes?: number
  minBytes?: number
  maxWaitMs?: number
  topicId?: string
  currentLeaderEpoch?: number
  lastFetchedEpoch?: number
}
