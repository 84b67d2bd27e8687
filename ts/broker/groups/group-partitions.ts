import { SeglogError } from '../../errors/seglog-error.js'
import { protocolError } from '../../protocol/errors.js'
import type { BrokerState } from '../broker-state.js'
import { asSeglogError } from '../error-codes.js'
import { offsetsTopic } from '../offsets-topic.js'
import { offsetsTopicName } from '../topic-names.js'
import type { Topic } from '../topics.js'
import { GroupPartition } from './group-partition.js'
import { coordinatorPartition } from './java-hash.js'
import { loadGroups } from './load-groups.js'
import { PendingOffsets } from './pending-offsets.js'
import type { Replay } from './replay.js'

/** What of the broker the groups stand on. */
export type GroupGround = Pick<
  BrokerState,
  'topics' | 'logs' | 'config' | 'groupConfigs' | 'clock' | 'logger' | 'crc32c'
>

export interface PartitionUse {
  /** Takes the records of the partition's log. */
  load(partition: GroupPartition): Replay
  /** The partition is gone: its topic was deleted. */
  lose(partition: GroupPartition): void
}

/** A partition that could not be loaded is tried again after this time, when somebody asks for it. */
const retryMs = 5000

interface Slot {
  readonly partition: GroupPartition
  loaded: boolean
  /** Settles when loading has ended, well or not. */
  loading: Promise<void> | null
  failure: SeglogError | null
  failedAt: number
}

/**
 * The partitions of `__consumer_offsets`, each loaded when a group of it is first asked for. Until then nobody can say
 * what a group has: COORDINATOR_LOAD_IN_PROGRESS is the only answer.
 */
export class GroupPartitions {
  readonly #ground: GroupGround
  readonly #use: PartitionUse
  #topic: Topic | null = null
  #slots: (Slot | undefined)[] = []
  #creating: Promise<void> | null = null
  readonly #givenUp = new AbortController()

  constructor(ground: GroupGround, use: PartitionUse) {
    this.#ground = ground
    this.#use = use
  }

  /** There is a topic. */
  get exist(): boolean {
    return this.#currentTopic() !== null
  }

  /**
   * The partition of a group, loading it if it was not; null while there is no topic, and so no group. Throws
   * COORDINATOR_LOAD_IN_PROGRESS, or COORDINATOR_NOT_AVAILABLE where it cannot be loaded.
   */
  of(groupId: string): GroupPartition | null {
    const topic = this.#currentTopic()
    if (topic === null) return null
    const slot = this.#slot(topic, coordinatorPartition(groupId, topic.record.partitions))
    if (slot.loaded) return slot.partition
    if (slot.failure !== null) throw unavailable(slot.failure)
    throw protocolError('COORDINATOR_LOAD_IN_PROGRESS', `group ${groupId} is being loaded; try again`)
  }

  /** As `of`, waiting for it to be loaded. */
  async loadedOf(groupId: string): Promise<GroupPartition | null> {
    const topic = this.#currentTopic()
    if (topic === null) return null
    await this.#slot(topic, coordinatorPartition(groupId, topic.record.partitions)).loading
    return this.of(groupId)
  }

  /** Makes the topic if there is none. READ_ONLY, or a disk error. */
  create(): Promise<void> {
    if (this.#currentTopic() !== null) return Promise.resolve()
    this.#creating ??= this.#create().finally(() => {
      this.#creating = null
    })
    return this.#creating
  }

  /** All partitions that have groups, loaded. Rejects with COORDINATOR_NOT_AVAILABLE if one cannot be. */
  async all(): Promise<GroupPartition[]> {
    const topic = this.#currentTopic()
    if (topic === null) return []
    const partitions: GroupPartition[] = []
    for (let index = 0; index < topic.record.partitions; index++) {
      if (this.#slots[index] === undefined && !this.#isWritten(topic, index)) continue
      const slot = this.#slot(topic, index)
      await slot.loading
      if (slot.failure !== null) throw unavailable(slot.failure)
      partitions.push(slot.partition)
    }
    return partitions
  }

  /** Those in memory. */
  get loaded(): GroupPartition[] {
    return this.#slots.filter((slot) => slot?.loaded === true).map((slot) => slot!.partition)
  }

  /** What is being loaded need not be. */
  giveUp(): void {
    this.#givenUp.abort()
  }

  /** Loading and writing under way has ended. */
  async settled(): Promise<void> {
    await this.#creating?.catch(() => {})
    for (const slot of this.#slots) {
      await slot?.loading
      await slot?.partition.turns.settled()
      await slot?.partition.settled()
    }
  }

  /** The topic as it is now; if it was deleted or made anew, what was loaded is void. */
  #currentTopic(): Topic | null {
    const topic = this.#ground.topics.byName(offsetsTopicName) ?? null
    if (topic !== this.#topic) {
      for (const partition of this.loaded) this.#use.lose(partition)
      this.#topic = topic
      this.#slots = []
    }
    return topic
  }

  #slot(topic: Topic, index: number): Slot {
    const known = this.#slots[index]
    if (known !== undefined) {
      const retry = known.failure !== null && this.#ground.clock() - known.failedAt >= retryMs
      if (!retry) return known
    }
    const open = () => this.#ground.topics.partition(topic, index)
    const partition = new GroupPartition(index, open, new PendingOffsets())
    const slot: Slot = { partition, loaded: false, loading: null, failure: null, failedAt: 0 }
    this.#slots[index] = slot
    if (this.#isWritten(topic, index)) slot.loading = this.#load(slot, open)
    else slot.loaded = true
    return slot
  }

  #isWritten(topic: Topic, index: number): boolean {
    return topic.partitions[index] !== undefined || this.#ground.logs.isWritten(topic.name, index)
  }

  async #load(slot: Slot, open: () => ReturnType<GroupGround['topics']['partition']>): Promise<void> {
    const { partition } = slot
    const { logger, clock, crc32c } = this.#ground
    try {
      const { log } = await open()
      const replay = this.#use.load(partition)
      const endOffset = await loadGroups(log, crc32c, replay, this.#givenUp.signal)
      // Its topic may be gone by now.
      if (this.#slots[partition.index] !== slot) return
      replay.finish(this.#ground.logs.readOnly)
      slot.loaded = true
      const fields = { partition: partition.index, groups: partition.groups.size, endOffset }
      logger.debug(fields, 'groups are loaded')
    } catch (error) {
      slot.failure = asSeglogError(error)
      slot.failedAt = clock()
      if (this.#givenUp.signal.aborted) return
      logger.error({ partition: partition.index, err: error }, `groups of ${offsetsTopicName} cannot be loaded`)
    } finally {
      slot.loading = null
    }
  }

  async #create(): Promise<void> {
    const { topics, logs, config } = this.#ground
    if (logs.readOnly) {
      const { path } = logs
      throw new SeglogError('READ_ONLY', `${path} is open read-only; open it without readOnly to use groups`, { path })
    }
    try {
      await topics.create(offsetsTopic(config))
    } catch (error) {
      // Somebody else may have made it meanwhile.
      if (topics.byName(offsetsTopicName) === undefined) throw error
    }
  }
}

function unavailable(cause: SeglogError): SeglogError {
  return protocolError('COORDINATOR_NOT_AVAILABLE', `groups cannot be loaded: ${cause.message}`, { cause })
}
