import { setTimeout as sleep } from 'node:timers/promises'
import { apiKey, type RequestOf } from '../../ts/protocol/apis.js'
import type { FetchResponse } from '../../ts/protocol/messages/01-fetch.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import { type BatchName, batchBytesMax, makeBatch } from './content.js'
import { type Asked, checkFetch } from './fetch-check.js'
import type { PartitionLedger } from './partition-ledger.js'
import type { Random } from './random.js'
import { ConnectionLost, type RawConnection } from './raw-connection.js'
import type { SoakTopic } from './soak-topic.js'
import type { SoakWorld } from './soak-world.js'

const requestsMax = 14
const thinkMs = 40
const corruptMessage = 2
/** Produce and Fetch find topics by id from this version on. */
const produceById = 13
const fetchById = 13
/** No batch that was sent has such a number: one that is found with it must not have been taken. */
const neverTaken = 0xffff_fff0

const requestWeights = { produce: 40, catchUp: 22, tail: 22, metadata: 6, corrupt: 4 }
const slowShare = 0.1
type RequestKind = keyof typeof requestWeights

/**
 * What one connection asks for from its beginning on, one or several at a time, each answer checked to its last byte. How
 * it ends is another's choice (endings.ts).
 */
export class Life {
  /** The connection is about to be reset: what is under way need not be answered. */
  isDying = false
  /** How it ends, once that is decided. */
  ending = 'none yet'
  readonly #open = new Set<Promise<void>>()
  /** Where the next fetch may go on. */
  readonly #places = new Map<PartitionLedger, number>()
  /** Batches sent without asking for an answer. */
  readonly #unanswered: { ledger: PartitionLedger; sequence: number }[] = []
  /** It uses topics whose records, or which themselves, are deleted meanwhile: an answer may be cut short. */
  readonly #isFragile: boolean

  constructor(
    readonly world: SoakWorld,
    readonly number: number,
    readonly random: Random,
    readonly connection: RawConnection,
  ) {
    this.#isFragile = random.chance(0.25)
  }

  get isFragile(): boolean {
    return this.#isFragile
  }

  /** In words, for one that does not come to its end. */
  get state(): string {
    const { unanswered, isOver, receivedBytes } = this.connection
    const open = unanswered === '' ? 'all answered' : `not answered: ${unanswered}`
    return `connection ${this.number}, ending: ${this.ending}, ${isOver ? 'over' : 'open'}, ${receivedBytes} bytes received, ${open}`
  }

  /** Asks a random number of times, up to eight at once, and waits for all answers. */
  async ask(): Promise<void> {
    const requests = this.random.magnitude(1, requestsMax + 1)
    for (let asked = 0; asked < requests && !this.isStopping; ) {
      const together = this.random.chance(0.6) ? 1 : this.random.between(2, 8)
      // A slow one alone: others would come between its pieces.
      if (together === 1 && this.random.chance(slowShare)) this.#askSlowly()
      else for (let i = 0; i < together; i += 1) this.begin(this.random.weighted(requestWeights))
      asked += together
      await this.settled()
      if (this.random.chance(0.5)) await sleep(this.random.between(0, thinkMs))
    }
  }

  get isStopping(): boolean {
    return this.world.isEnding || this.connection.isOver
  }

  /** All answers that were asked for are there. */
  async settled(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open)
  }

  /** The connection ends in order, and everything was answered: what nothing was answered to has to be there as well. */
  confirm(): void {
    if (this.#isFragile) return
    for (const { ledger, sequence } of this.#unanswered) ledger.owe(this.number, sequence)
  }

  begin(kind: RequestKind): void {
    this.world.count(kind)
    if (kind === 'produce') this.produce()
    else if (kind === 'catchUp') this.fetch('catchUp')
    else if (kind === 'tail') this.fetch('tail')
    else if (kind === 'metadata') this.#metadata()
    else this.#corrupt()
  }

  /** Sends one batch to each of up to three partitions. */
  produce(): void {
    const topic = this.#topic()
    if (topic === null) return
    const places = this.#partitions(topic, 3)
    const sizes = places.map(() => this.random.magnitude(100, this.random.chance(0.1) ? batchBytesMax : 100_000))
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    if (!this.world.takeBatches(bytes)) {
      this.fetch('catchUp')
      return
    }
    const sent = places.map((ledger, index) => {
      const name = ledger.send(this.number)
      return { ledger, name, batch: makeBatch(name, sizes[index]!) }
    })
    const acks = Number(this.random.weighted({ 1: 75, [-1]: 13, 0: 12 }))
    const version = this.#version(topic, [3, 7, 9, 11, 12], [produceById])
    const fields = produceFields(
      topic,
      acks,
      version,
      sent.map(({ name, batch }) => ({ index: name.partition, records: batch.bytes })),
    )
    this.world.count('batches', sent.length)
    if (acks === 0) {
      this.world.giveBatches(bytes)
      this.connection.tell(apiKey.produce, version, fields)
      for (const { ledger, name } of sent) this.#unanswered.push({ ledger, sequence: name.sequence })
      return
    }
    const answer = this.connection.ask(apiKey.produce, version, fields).finally(() => this.world.giveBatches(bytes))
    this.#follow(answer, ({ responses }) => {
      const parts = responses.flatMap(({ partitionResponses }) => partitionResponses)
      if (parts.length !== sent.length) throw new Error(`${parts.length} batches were answered of ${sent.length}`)
      for (const [index, { ledger, name, batch }] of sent.entries()) {
        const { errorCode, baseOffset, index: partition } = parts[index]!
        if (partition !== name.partition) throw new Error(`partition ${partition} was answered for ${name.partition}`)
        const { writer, sequence } = name
        if (errorCode === 0) ledger.acknowledged(Number(baseOffset), { writer, sequence, count: batch.count })
        else if (!topic.excuses.includes(errorCode)) throw new Error(`a batch to ${topic.name} got ${errorCode}`)
      }
    })
  }

  /** Reads up to four partitions, from where this one stands, some older place, or the end, where it may have to wait. */
  fetch(from: 'catchUp' | 'tail', mostBytes = this.random.chance(0.4) ? 4 << 20 : 256 << 10): void {
    const topic = this.#topic()
    if (topic === null) return
    const maxBytes = this.random.magnitude(Math.min(1000, mostBytes), mostBytes)
    const heldBytes = maxBytes + batchBytesMax
    if (!this.world.answers.take(heldBytes)) {
      this.#metadata()
      return
    }
    const asked = this.#partitions(topic, 4).map((ledger): Asked => {
      const offset = from === 'tail' ? ledger.endOffset : this.#readingPlace(ledger)
      const { partition, endOffset } = ledger
      return { topic, partition, offset, maxBytes: this.random.magnitude(200, maxBytes + 200), endOffset }
    })
    const { version, fields } = this.#fetchFields(topic, asked, maxBytes, from === 'tail')
    const answer = this.connection.ask(apiKey.fetch, version, fields).finally(() => this.world.answers.give(heldBytes))
    this.#follow(answer, (response) => this.#fetched(response, asked, maxBytes))
  }

  /** As much as an answer of some megabytes can hold, from the oldest records on. */
  fetchMuch(): void {
    this.fetch('catchUp', this.random.between(2, 12) << 20)
  }

  /** A request whose end will never come; it must not be taken. */
  halfRequest(): Buffer {
    const topic = this.#topic('steady')!
    const name = this.#untaken(topic)
    const records = makeBatch(name, this.random.magnitude(100, 300_000)).bytes
    const version = this.#version(topic, [9], [produceById])
    const fields = produceFields(topic, 1, version, [{ index: name.partition, records }])
    const bytes = Buffer.concat(this.connection.encode(apiKey.produce, version, fields))
    return bytes.subarray(0, this.random.between(1, bytes.length - 1))
  }

  #metadata(): void {
    const steady = this.world.topics.filter(({ kind }) => kind !== 'fleeting')
    const version = this.random.between(10, 13)
    const answer = this.connection.ask(apiKey.metadata, version, { topics: null })
    this.#follow(answer, ({ topics }) => {
      for (const { name, id, partitions } of steady) {
        const found = topics.find((topic) => topic.topicId === id)
        if (found?.name === name && found.partitions.length === partitions.length) continue
        throw new Error(`the topics told are ${JSON.stringify(topics)}, without ${name} ${id}`)
      }
    })
  }

  /** A batch with one wrong byte. */
  #corrupt(): void {
    const topic = this.#topic('steady')!
    const name = this.#untaken(topic)
    const { bytes } = makeBatch(name, this.random.magnitude(200, 50_000))
    bytes[this.random.between(61, bytes.length - 1)]! ^= 1 << this.random.between(0, 7)
    const version = this.#version(topic, [3, 8, 12], [produceById])
    const fields = produceFields(topic, 1, version, [{ index: name.partition, records: bytes }])
    this.#follow(this.connection.ask(apiKey.produce, version, fields), ({ responses }) => {
      const code = responses[0]?.partitionResponses[0]?.errorCode
      if (code !== corruptMessage) throw new Error(`a damaged batch was answered with ${code}`)
    })
  }

  /** A fetch that arrives in small pieces. */
  #askSlowly(): void {
    this.world.count('slow')
    const topic = this.#topic()
    if (topic === null) return
    const maxBytes = this.random.magnitude(1000, 100_000)
    const asked = this.#partitions(topic, 4).map((ledger): Asked => {
      const { partition, endOffset } = ledger
      return { topic, partition, offset: this.#readingPlace(ledger), maxBytes, endOffset }
    })
    const { version, fields } = this.#fetchFields(topic, asked, maxBytes, false)
    const answer = this.connection.askSlowly(apiKey.fetch, version, fields, this.random)
    this.#follow(answer, (response) => this.#fetched(response, asked, maxBytes))
  }

  #fetchFields(topic: SoakTopic, asked: readonly Asked[], maxBytes: number, mayWait: boolean) {
    const version = this.#version(topic, [4, 7, 11, 12], [fetchById, 15, 18])
    const partitions = asked.map(({ partition, offset, maxBytes: partitionMaxBytes }) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: -1,
      logStartOffset: -1n,
      partitionMaxBytes,
      replicaDirectoryId: zeroUuid,
      highWatermark: 0x7fff_ffff_ffff_ffffn,
    }))
    const fields: Partial<RequestOf<1>> = {
      maxWaitMs: mayWait ? this.random.between(0, 800) : 0,
      minBytes: mayWait ? this.random.magnitude(1, 20_000) : 1,
      maxBytes,
      topics: [{ ...named(topic, version >= fetchById), topic: topic.name, partitions }],
    }
    return { version, fields }
  }

  #fetched(response: FetchResponse, asked: readonly Asked[], maxBytes: number): void {
    for (const { asked: one, batches } of checkFetch(response, asked, maxBytes)) {
      const last = batches.at(-1)
      if (last !== undefined) this.#places.set(one.topic.partitions[one.partition]!, last.baseOffset + last.count)
      this.world.count(
        'records',
        batches.reduce((sum, { count }) => sum + count, 0),
      )
    }
  }

  #readingPlace(ledger: PartitionLedger): number {
    const place = this.#places.get(ledger) ?? -1
    if (place >= ledger.startOffset && this.random.chance(0.7)) return place
    return this.random.chance(0.4) ? ledger.startOffset : ledger.someOffset(this.random.fraction())
  }

  /** Takes up an answer that is to come: it is checked, or the reason why it does not come is. */
  #follow<T>(answer: Promise<T>, check: (response: T) => void): void {
    const done = answer
      .then(check)
      .catch((error: Error) => {
        const isExcused = error instanceof ConnectionLost && (this.isDying || this.#isFragile)
        if (isExcused) this.world.count(this.isDying ? 'left unanswered' : 'cut short')
        else this.world.fail(`connection ${this.number}: ${error.message}`)
      })
      .finally(() => this.#open.delete(done))
    this.#open.add(done)
  }

  #topic(kind?: SoakTopic['kind']): SoakTopic | null {
    const wanted = (topic: SoakTopic) => {
      if (kind !== undefined) return topic.kind === kind
      return this.#isFragile || topic.kind === 'steady'
    }
    const found = this.world.topics.filter(wanted)
    return found.length === 0 ? null : this.random.of(found)
  }

  #partitions({ partitions }: SoakTopic, most: number): PartitionLedger[] {
    const count = this.random.between(1, Math.min(most, partitions.length))
    const first = this.random.between(0, partitions.length - 1)
    return Array.from({ length: count }, (_, index) => partitions[(first + index) % partitions.length]!)
  }

  #untaken({ incarnation, partitions }: SoakTopic): BatchName {
    const { partition } = this.random.of(partitions)
    return { incarnation, partition, writer: this.number, sequence: neverTaken }
  }

  /** Topics that may be replaced by another of the same name are only ever asked for by their id. */
  #version(topic: SoakTopic, byName: readonly number[], byId: readonly number[]): number {
    return this.random.of(topic.kind === 'fleeting' ? byId : [...byName, ...byId])
  }
}

interface SentPartition {
  readonly index: number
  readonly records: Uint8Array
}

function produceFields(
  topic: SoakTopic,
  acks: number,
  version: number,
  partitionData: readonly SentPartition[],
): Partial<RequestOf<0>> {
  return { acks, timeoutMs: 30_000, topicData: [{ ...named(topic, version >= produceById), partitionData }] }
}

function named({ name, id }: SoakTopic, byId: boolean): { name: string; topicId: string } {
  return byId ? { name: '', topicId: id } : { name, topicId: zeroUuid }
}
