import { setTimeout as sleep } from 'node:timers/promises'
import { apiKey } from '../../ts/protocol/apis.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import { type Asked, checkFetch } from './fetch-check.js'
import type { Random } from './random.js'
import { RawConnection } from './raw-connection.js'
import { SoakTopic, type TopicKind } from './soak-topic.js'
import type { SoakWorld } from './soak-world.js'

const shape: Readonly<Record<TopicKind, { names: readonly string[]; partitions: number }>> = {
  steady: { names: ['steady-a', 'steady-b', 'steady-c'], partitions: 4 },
  trimmed: { names: ['trimmed'], partitions: 3 },
  fleeting: { names: ['fleeting-a', 'fleeting-b'], partitions: 2 },
}
const auditBytes = 8 << 20
const newest = { createTopics: 7, deleteTopics: 6, deleteRecords: 2, fetch: 18 } as const

/** Makes the topics of the soak, deletes them, and reads them whole, over a connection of its own. */
export class Keeper {
  private constructor(
    private readonly world: SoakWorld,
    private readonly random: Random,
    private readonly connection: RawConnection,
  ) {}

  static async open(world: SoakWorld, random: Random): Promise<Keeper> {
    return new Keeper(world, random, await RawConnection.open(world.port))
  }

  /** Makes those that are missing. */
  async complete(): Promise<void> {
    for (const kind of ['steady', 'trimmed', 'fleeting'] as const) {
      for (const name of shape[kind].names) {
        if (!this.world.topics.some((topic) => topic.name === name)) await this.make(kind, name)
      }
    }
  }

  /** Until the round ends: deletes topics that are in use and makes them again. */
  async replace(): Promise<void> {
    while (!this.world.isEnding) {
      await sleep(this.random.between(100, 1500))
      const topic = this.random.of(this.world.topics.filter(({ kind }) => kind === 'fleeting'))
      await this.remove(topic)
      await this.make('fleeting', topic.name)
      this.world.count('topics replaced')
    }
  }

  /** Until the round ends: deletes records of the trimmed topic from its beginning on. */
  async trim(): Promise<void> {
    const topic = this.world.topics.find(({ kind }) => kind === 'trimmed')!
    while (!this.world.isEnding) {
      await sleep(this.random.between(50, 700))
      const { partition, startOffset, endOffset } = this.random.of(topic.partitions)
      await this.deleteRecords(topic, partition, this.random.between(startOffset, endOffset))
      this.world.count('trims')
    }
  }

  /** Reads every topic, while nobody writes, and holds it against what is known of it; deletes all but the trimmed one. */
  async settle(): Promise<void> {
    for (const topic of [...this.world.topics]) {
      for (const { partition } of topic.partitions) await this.audit(topic, partition)
      if (topic.kind !== 'trimmed') await this.remove(topic)
      else {
        for (const ledger of topic.partitions) {
          await this.deleteRecords(topic, ledger.partition, ledger.endOffset)
          ledger.restart(ledger.endOffset)
        }
      }
    }
  }

  async leave(): Promise<void> {
    this.connection.end()
    await this.connection.over
    this.connection.destroy(false)
    this.world.left(this.connection)
  }

  private async make(kind: TopicKind, name: string): Promise<void> {
    const { partitions } = shape[kind]
    const configs: { name: string; value: string }[] = []
    const topic = { name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs }
    const request = { topics: [topic], timeoutMs: 30_000 }
    const [made] = (await this.connection.ask(apiKey.createTopics, newest.createTopics, request)).topics
    if (made?.errorCode !== 0) throw new Error(`${name} was not made: ${made?.errorCode} ${made?.errorMessage}`)
    const incarnation = this.world.nextIncarnation()
    this.world.topics = [...this.world.topics, new SoakTopic(kind, name, made.topicId, incarnation, partitions)]
  }

  private async remove(topic: SoakTopic): Promise<void> {
    this.world.topics = this.world.topics.filter((one) => one !== topic)
    const request = { topics: [{ name: null, topicId: topic.id }], timeoutMs: 30_000 }
    const [gone] = (await this.connection.ask(apiKey.deleteTopics, newest.deleteTopics, request)).responses
    if (gone?.errorCode !== 0)
      throw new Error(`${topic.name} was not deleted: ${gone?.errorCode} ${gone?.errorMessage}`)
  }

  private async deleteRecords(topic: SoakTopic, partitionIndex: number, offset: number): Promise<void> {
    const partitions = [{ partitionIndex, offset: BigInt(offset) }]
    const request = { topics: [{ name: topic.name, partitions }], timeoutMs: 30_000 }
    const { topics } = await this.connection.ask(apiKey.deleteRecords, newest.deleteRecords, request)
    const answer = topics[0]!.partitions[0]!
    if (answer.errorCode !== 0) throw new Error(`records of ${topic.name} were not deleted: ${answer.errorCode}`)
    if (Number(answer.lowWatermark) !== offset) throw new Error(`${answer.lowWatermark} is the start, not ${offset}`)
    topic.partitions[partitionIndex]!.startOffset = offset
  }

  private async audit(topic: SoakTopic, partition: number): Promise<void> {
    const ledger = topic.partitions[partition]!
    const audit = ledger.audit()
    let offset = ledger.startOffset
    let end = offset
    do {
      const { endOffset } = ledger
      const asked: Asked = { topic, partition, offset, maxBytes: auditBytes, endOffset }
      const [found] = checkFetch(await this.read(asked), [asked], auditBytes)
      for (const { baseOffset, writer, sequence, count } of found!.batches) {
        audit.take(baseOffset, { writer, sequence, count })
        offset = baseOffset + count
      }
      if (found!.errorCode !== 0) throw new Error(`${topic.name}-${partition} was answered with ${found!.errorCode}`)
      end = found!.endOffset
    } while (offset < end)
    audit.end(end)
    this.world.count('audited batches', audit.batches)
    this.world.count('audited records', audit.records)
  }

  private read({ topic, partition, offset, maxBytes }: Asked) {
    const place = {
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: -1,
      logStartOffset: -1n,
      partitionMaxBytes: maxBytes,
      replicaDirectoryId: zeroUuid,
      highWatermark: 0x7fff_ffff_ffff_ffffn,
    }
    const topics = [{ topic: '', topicId: topic.id, partitions: [place] }]
    return this.connection.ask(apiKey.fetch, newest.fetch, { maxBytes, topics })
  }
}
