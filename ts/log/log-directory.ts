import { SeglogError } from '../errors/seglog-error.js'
import type { Directory, Engine, LeftBehind } from '../native/engine.js'
import { randomUuid, uuidToHex } from '../protocol/uuid.js'
import { DirectoryCheckpoints } from './directory-checkpoints.js'
import { codeOf } from './error-code.js'
import type { Log } from './log.js'
import { defaultLogConfig } from './log-config.js'
import { LogOpener, type OpenLogOptions } from './log-opener.js'
import { removeIfThere } from './log-segments.js'
import { type Clock, type Logger, silentLogger } from './logger.js'
import {
  cleanShutdownFile,
  cleanShutdownText,
  type MetaProperties,
  metaPropertiesFile,
  parseMetaProperties,
  serializeMetaProperties,
} from './meta-properties.js'
import { OpenSegments } from './open-segments.js'
import { deletedFolderName, isDeletedFolder, parsePartitionFolder, partitionFolderName } from './partition-folder.js'
import { inconsistentTopicId, readTopicId } from './partition-metadata.js'

export type { OpenLogOptions } from './log-opener.js'

export interface LogDirectoryOptions {
  readOnly?: boolean
  /** Create the directory if it does not exist (default true). */
  create?: boolean
  /** Written to meta.properties when it is made; an existing file keeps its own. */
  clusterId?: string
  nodeId?: number
  logger?: Logger
  clock?: Clock
  /** In [0, 1), for segment.jitter.ms. */
  random?: () => number
  /** How large the commit journal may become, in bytes (default 128 MiB); 0 for none. */
  journalBytes?: number
  /** How many closed segments may be open at once, over all logs (default 256). */
  openSegments?: number
  /** Kafka's producer.id.expiration.ms (default a day). */
  producerIdExpirationMs?: () => number
}

/** A partition folder found on disk. */
export interface FoundPartition {
  topic: string
  partition: number
}

interface Slot {
  readonly log: Promise<Log>
  /** Someone asked for it; else it is open only to be brought into order. */
  claimed: boolean
}

const checkpointMs = 60_000
const highWatermarkMs = 5_000
const expirationCheckMs = 600_000
const dayMs = 24 * 3600 * 1000

/**
 * A data directory with many logs: one writer, any number of readers. Logs are opened when they are asked for; what a
 * kill left behind waits until then. Holds the checkpoints, and the marks of a clean stop.
 */
export class LogDirectory {
  readonly path: string
  readonly readOnly: boolean
  /** How the last writer left it. */
  readonly leftBehind: LeftBehind
  /** Another process writes here while this one reads. */
  readonly live: boolean
  /** From meta.properties; null for a read-only directory without one. */
  readonly clusterId: string | null
  readonly nodeId: number | null
  readonly directoryId: string | null
  /** The engine's directory, for other durable files (seglog.json); paths are relative to it or absolute. */
  readonly files: Directory
  /** Partition folders on disk when the directory was opened. */
  readonly found: readonly FoundPartition[]
  readonly #logger: Logger
  readonly #opener: LogOpener
  readonly #checkpoints: DirectoryCheckpoints
  readonly #slots = new Map<string, Slot>()
  readonly #timers: NodeJS.Timeout[] = []
  readonly #removals = new Set<Promise<void>>()
  /** Folders that hold a partition, found or made. */
  readonly #folders: Set<string>
  /** Found folders that nobody has brought into order yet. */
  readonly #unsettled: Map<string, FoundPartition>
  /** Folders whose log was closed here but could not be left exact. */
  readonly #inexact = new Set<string>()
  #settling: Promise<void> = Promise.resolve()
  #closing: Promise<void> | null = null

  /**
   * Opens a data directory. DIRECTORY_IN_USE (naming the holder) if another open writes it, NOT_A_DIRECTORY,
   * ACCESS_DENIED; FILE_NOT_FOUND if it is not there and may not be made.
   */
  static async open(engine: Engine, path: string, options: LogDirectoryOptions = {}): Promise<LogDirectory> {
    const { readOnly = false, create = true, journalBytes } = options
    const files = await engine.openDirectory(path, { readOnly, create, journalBytes })
    try {
      const names = await files.list('.')
      if (!readOnly && (await removeIfThere(files, cleanShutdownFile))) await files.syncDirectory('.')
      const meta = await metaProperties(files, names, options)
      const checkpoints = await DirectoryCheckpoints.read(files, names, options.logger ?? silentLogger)
      return new LogDirectory(engine, files, names, meta, checkpoints, options)
    } catch (error) {
      await files.close(false).catch(() => {})
      throw error
    }
  }

  private constructor(
    engine: Engine,
    files: Directory,
    names: readonly string[],
    meta: MetaProperties,
    checkpoints: DirectoryCheckpoints,
    options: LogDirectoryOptions,
  ) {
    this.files = files
    this.path = files.path
    this.readOnly = files.readOnly
    this.leftBehind = files.leftBehind
    this.live = files.live
    this.clusterId = meta.clusterId
    this.nodeId = meta.nodeId
    this.directoryId = meta.directoryId
    this.#logger = options.logger ?? silentLogger
    this.#checkpoints = checkpoints
    this.found = names.map(parsePartitionFolder).filter((found) => found !== null)
    this.#folders = new Set(this.found.map(({ topic, partition }) => partitionFolderName(topic, partition)))
    this.#unsettled = new Map(this.found.map((found) => [partitionFolderName(found.topic, found.partition), found]))
    this.#opener = new LogOpener({
      engine,
      directory: files,
      checkpoints,
      openSegments: new OpenSegments(options.openSegments ?? 256),
      logger: this.#logger,
      clock: options.clock ?? Date.now,
      random: options.random ?? Math.random,
    })
    if (this.readOnly) return
    for (const name of names) if (isDeletedFolder(name)) this.#removeTree(name)
    this.#every(highWatermarkMs, () => this.#checkpoints.saveHighWatermarks(this.#openLogs()))
    this.#every(checkpointMs, () => this.#checkpoints.save(this.#openLogs()))
    this.#every(expirationCheckMs, async () => {
      const expirationMs = options.producerIdExpirationMs?.() ?? dayMs
      for (const log of await this.#openLogs()) log.expireProducers(expirationMs)
    })
    if (this.leftBehind === 'scan') this.#settling = this.#settleRest()
  }

  /** True after a failed write or flush: nothing can be written until the directory is opened again; reads go on. */
  get offline(): boolean {
    return this.files.offline
  }

  /** Called once when the directory goes offline. */
  set onOffline(callback: ((error: Error) => void) | null) {
    this.files.onOffline = callback
  }

  /**
   * Opens the log, making folder and files if there are none. While it is open, the same partition gives the same log.
   * CORRUPT_LOG (path, position, offset) if acknowledged records are damaged: only this partition is out of service.
   */
  async openLog(options: OpenLogOptions): Promise<Log> {
    this.#checkOpen()
    const folder = partitionFolderName(options.topic, options.partition)
    const slot = this.#slots.get(folder) ?? this.#open(folder, options)
    slot.claimed = true
    const log = await slot.log
    if (log.closed) {
      await log.close().catch(() => {})
      if (this.#slots.get(folder) === slot) this.#slots.delete(folder)
      return this.openLog(options)
    }
    if (log.topicId !== options.topicId) throw inconsistentTopicId(folder, log.topicId, options.topicId)
    log.updateConfig(options.config)
    if (!this.readOnly && (options.leaderEpoch ?? 0) > log.leaderEpoch) await log.raiseLeaderEpoch(options.leaderEpoch!)
    return log
  }

  /** Resolves when partitions that an unclean stop left behind are in order, as far as they can be; see `leftBehind`. */
  get settled(): Promise<void> {
    return this.#settling
  }

  /** Before a topic is made: what an earlier one of that name left in the checkpoints is not its own. */
  forgetTopic(topic: string): Promise<void> {
    this.#checkOpen()
    return this.#checkpoints.forgetTopic(topic)
  }

  /** There is a folder, or a checkpoint that says there should be one. */
  isWritten(topic: string, partition: number): boolean {
    const written = this.#folders.has(partitionFolderName(topic, partition))
    return written || (this.#checkpoints.get('recoveryPoint', topic, partition) ?? 0) > 0
  }

  /** The topic id in a partition's folder, null if it has none. */
  readTopicId(topic: string, partition: number): Promise<string | null> {
    return readTopicId(this.files, partitionFolderName(topic, partition))
  }

  /**
   * Takes a partition away: its folder is renamed to `<topic>-<partition>.<uuid>-delete` when this resolves, and removed in
   * the background (or at the next start).
   */
  async deleteLog(topic: string, partition: number): Promise<void> {
    this.#checkOpen()
    const folder = partitionFolderName(topic, partition)
    const topicId = await this.readTopicId(topic, partition)
    const log = await this.#slots.get(folder)?.log.catch(() => null)
    await log?.abandon()
    this.#slots.delete(folder)
    this.#unsettled.delete(folder)
    this.#inexact.delete(folder)
    if (!this.#folders.delete(folder)) return
    const away = deletedFolderName(topic, partition)
    await this.files.rename(folder, away)
    await this.files.syncDirectory('.')
    if (topicId !== null) this.files.slot(uuidToHex(topicId), partition).free()
    this.#checkpoints.forget(topic, partition)
    this.#removeTree(away)
  }

  /**
   * Seals and flushes all logs, writes checkpoints and, if everything is exact, the clean-shutdown marker; releases the
   * lock. Idempotent. Rejects with the first failure; the directory is released all the same and recovers next time.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.#settling
    const failures: unknown[] = []
    if (!this.readOnly && this.leftBehind === 'killed' && !this.offline) await this.#settleRest(true)
    const logs = await this.#openLogs()
    await Promise.all(logs.map((log) => log.close().catch((error: unknown) => failures.push(error))))
    await Promise.allSettled(this.#removals)
    const started = this.leftBehind === 'clean' || this.leftBehind === 'new'
    const exact = this.#inexact.size === 0 && (started || this.#unsettled.size === 0)
    const clean = !this.readOnly && !this.offline && failures.length === 0 && exact
    try {
      if (!this.readOnly && !this.offline) {
        if (clean) await this.files.removeJournal()
        await this.#checkpoints.save(logs)
        if (clean) await this.files.replaceFile(cleanShutdownFile, cleanShutdownText)
      }
    } catch (error) {
      failures.push(error)
    }
    await this.files.close(clean && failures.length === 0)
    if (failures.length > 0) throw failures[0]
  }

  #open(folder: string, options: OpenLogOptions): Slot {
    const untouched = this.#unsettled.has(folder) || this.readOnly
    const how = this.#inexact.has(folder) ? 'scan' : untouched ? this.leftBehind : 'clean'
    const opening = this.#opener.open(options, { exists: this.#folders.has(folder), leftBehind: how })
    const slot: Slot = { log: opening, claimed: false }
    this.#slots.set(folder, slot)
    opening.then(
      (log) => {
        this.#folders.add(folder)
        this.#unsettled.delete(folder)
        this.#inexact.delete(folder)
        log.onClosed = (exact) => {
          if (!exact && !this.readOnly) this.#inexact.add(folder)
        }
      },
      (error: unknown) => {
        // What cannot be read now cannot be read a moment later either; everything else may be tried again.
        if (codeOf(error) !== 'CORRUPT_LOG') this.#slots.delete(folder)
        else this.#logger.error({ err: error, folder }, 'a partition is out of service')
      },
    )
    return slot
  }

  /** Opens and closes what nobody asked for, so that it is exact. `closing`: even after close was called. */
  async #settleRest(closing = false): Promise<void> {
    for (const [folder, { topic, partition }] of [...this.#unsettled]) {
      if ((this.#closing !== null && !closing) || this.offline) return
      if (this.#slots.has(folder)) continue
      try {
        const topicId = await readTopicId(this.files, folder)
        if (topicId === null || this.#slots.has(folder) || !this.#unsettled.has(folder)) continue
        const slot = this.#open(folder, { topic, partition, topicId, config: defaultLogConfig })
        const log = await slot.log
        if (slot.claimed) continue
        await log.close()
        this.#checkpoints.note(log)
      } catch (error) {
        this.#logger.warn({ err: error, folder }, 'a partition could not be brought into order')
      }
    }
  }

  async #openLogs(): Promise<Log[]> {
    const logs = await Promise.all([...this.#slots.values()].map((slot) => slot.log.catch(() => null)))
    return logs.filter((log) => log !== null)
  }

  #every(milliseconds: number, work: () => Promise<void>): void {
    const run = (): void => {
      if (this.offline || this.#closing !== null) return
      work().catch((error: unknown) => this.#logger.warn({ err: error }, 'a checkpoint could not be written'))
    }
    this.#timers.push(setInterval(run, milliseconds).unref())
  }

  #removeTree(folder: string): void {
    const removal: Promise<void> = this.files
      .removeTree(folder)
      .catch((error: unknown) => this.#logger.warn({ err: error, folder }, 'a deleted folder could not be removed yet'))
      .finally(() => this.#removals.delete(removal))
    this.#removals.add(removal)
  }

  #checkOpen(): void {
    if (this.#closing !== null)
      throw new SeglogError('CLOSED', `${this.path} is closed; open it again`, { path: this.path })
  }
}

async function metaProperties(
  files: Directory,
  names: readonly string[],
  options: LogDirectoryOptions,
): Promise<MetaProperties> {
  if (names.includes(metaPropertiesFile)) return parseMetaProperties(await files.readFile(metaPropertiesFile))
  if (files.readOnly) return { clusterId: null, nodeId: null, directoryId: null }
  const meta = { clusterId: options.clusterId ?? randomUuid(), nodeId: options.nodeId ?? 1, directoryId: randomUuid() }
  await files.replaceFile(metaPropertiesFile, serializeMetaProperties(meta.clusterId, meta.nodeId, meta.directoryId))
  return meta
}
