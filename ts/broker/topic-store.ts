import { randomInt } from 'node:crypto'
import { SeglogError } from '../errors/seglog-error.js'
import type { Directory } from '../native/engine.js'
import { protocolError } from '../protocol/errors.js'
import type { ConfigMap } from './broker-config.js'
import type { MetadataStore, TopicRecord } from './metadata-store.js'
import { collisionError, collisionKey } from './topic-names.js'
import { emptyState, parseState, type StoreState, serializeState } from './topic-store-file.js'

const fileName = 'seglog.json'

interface Change {
  apply(state: StoreState): void
  resolve(): void
  reject(error: unknown): void
}

/**
 * The metadata of one data directory in its `seglog.json`. One write at a time; changes that arrive while a write runs
 * share the next one, so a thousand creations cost a few writes.
 */
export class TopicStore implements MetadataStore {
  readonly #directory: Directory
  #state: StoreState
  /** `.` and `_` folded name to name, of `#state.topics`. */
  #byCollision = new Map<string, string>()
  #waiting: Change[] = []
  #writing: Promise<void> | null = null

  private constructor(directory: Directory, state: StoreState) {
    this.#directory = directory
    this.#state = state
    for (const name of state.topics.keys()) this.#byCollision.set(collisionKey(name), name)
  }

  /** Reads `seglog.json`, or begins empty where there is none. Throws CORRUPT_METADATA for a file it cannot read. */
  static async open(directory: Directory): Promise<TopicStore> {
    const exists = (await directory.stat(fileName)) !== null
    const state = exists
      ? parseState(await directory.readFile(fileName), `${directory.path}/${fileName}`)
      : emptyState()
    return new TopicStore(directory, state)
  }

  get topics(): ReadonlyMap<string, TopicRecord> {
    return this.#state.topics
  }

  get deleting(): readonly TopicRecord[] {
    return [...this.#state.deleting.values()]
  }

  get brokerConfigs(): ReadonlyMap<string, ConfigMap> {
    return this.#state.brokerConfigs
  }

  get groupConfigs(): ReadonlyMap<string, ConfigMap> {
    return this.#state.groupConfigs
  }

  create(topic: TopicRecord): Promise<void> {
    return this.#change((state) => {
      if (state.topics.has(topic.name)) {
        throw protocolError('TOPIC_ALREADY_EXISTS', `topic ${topic.name} exists already`, { topic: topic.name })
      }
      const key = collisionKey(topic.name)
      const other = this.#byCollision.get(key)
      if (other !== undefined) throw collisionError(topic.name, other)
      this.#byCollision.set(key, topic.name)
      state.topics.set(topic.name, topic)
    })
  }

  async update(name: string, change: (topic: TopicRecord) => TopicRecord): Promise<TopicRecord> {
    let changed: TopicRecord | undefined
    await this.#change((state) => {
      changed = change(existing(state, name))
      state.topics.set(name, changed)
    })
    return changed!
  }

  async delete(name: string): Promise<TopicRecord> {
    let deleted: TopicRecord | undefined
    await this.#change((state) => {
      deleted = existing(state, name)
      state.topics.delete(name)
      this.#byCollision.delete(collisionKey(name))
      state.deleting.set(deleted.id, deleted)
    })
    return deleted!
  }

  deleted(id: string): Promise<void> {
    return this.#change((state) => {
      state.deleting.delete(id)
    })
  }

  updateBrokerConfigs(broker: string, change: (configs: ConfigMap) => ConfigMap): Promise<void> {
    return this.#change((state) => {
      state.brokerConfigs.set(broker, change(state.brokerConfigs.get(broker) ?? {}))
    })
  }

  updateGroupConfigs(group: string, change: (configs: ConfigMap) => ConfigMap): Promise<void> {
    return this.#change((state) => {
      const configs = change(state.groupConfigs.get(group) ?? {})
      if (Object.keys(configs).length === 0) state.groupConfigs.delete(group)
      else state.groupConfigs.set(group, configs)
    })
  }

  async reserveProducerIds(count: number): Promise<number> {
    let first = 0
    await this.#change((state) => {
      first = state.nextProducerId
      state.nextProducerId += count
    })
    return first
  }

  /**
   * Takes in topics found on disk without an entry. Their producers' ids were issued by somebody else, so ours jump to
   * a random place far above: an id met in their logs must not be handed out again. Read-only: only in memory.
   */
  adopt(topics: readonly TopicRecord[]): Promise<void> {
    const apply = (state: StoreState) => {
      for (const topic of topics) {
        state.topics.set(topic.name, topic)
        this.#byCollision.set(collisionKey(topic.name), topic.name)
      }
      state.nextProducerId = Math.max(state.nextProducerId, 2 ** 42) + randomInt(2 ** 31) * 1000
    }
    if (!this.#directory.readOnly) return this.#change(apply)
    apply(this.#state)
    return Promise.resolve()
  }

  /** Waits for changes under way. */
  async settled(): Promise<void> {
    while (this.#writing !== null) await this.#writing
  }

  #change(apply: (state: StoreState) => void): Promise<void> {
    if (this.#directory.readOnly) {
      const path = this.#directory.path
      return Promise.reject(
        new SeglogError('READ_ONLY', `${path} is open read-only; open it without readOnly`, { path }),
      )
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ apply, resolve, reject })
      this.#writing ??= Promise.resolve().then(() => this.#writeWaiting())
    })
  }

  async #writeWaiting(): Promise<void> {
    while (this.#waiting.length > 0) await this.#writeRound()
    this.#writing = null
  }

  async #writeRound(): Promise<void> {
    const round = this.#waiting
    this.#waiting = []
    const names = new Map(this.#byCollision)
    const next: StoreState = {
      topics: new Map(this.#state.topics),
      deleting: new Map(this.#state.deleting),
      brokerConfigs: new Map(this.#state.brokerConfigs),
      groupConfigs: new Map(this.#state.groupConfigs),
      nextProducerId: this.#state.nextProducerId,
    }
    // A refusal may rest on another change of this round, so it too is told when the round is durable.
    const refused = new Map<Change, unknown>()
    for (const change of round) {
      try {
        change.apply(next)
      } catch (error) {
        refused.set(change, error)
      }
    }
    try {
      if (refused.size < round.length) await this.#directory.replaceFile(fileName, serializeState(next))
    } catch (error) {
      this.#byCollision = names
      for (const change of round) change.reject(error)
      return
    }
    if (refused.size < round.length) {
      this.#state = next
      this.#directory.topicsChanged()
    }
    for (const change of round) if (!refused.has(change)) change.resolve()
    for (const [change, error] of refused) change.reject(error)
  }
}

function existing(state: StoreState, name: string): TopicRecord {
  const topic = state.topics.get(name)
  if (topic === undefined) {
    throw protocolError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${name} does not exist`, { topic: name })
  }
  return topic
}
