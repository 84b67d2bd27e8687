import type { Directory, Engine, LeftBehind } from '../native/engine.js'
import type { Log } from './log.js'
import type { LogConfig } from './log-config.js'
import type { Clock, Logger } from './logger.js'

export interface LogDirectoryOptions {
  readOnly?: boolean
  /** Create the directory if it does not exist (default true). */
  create?: boolean
  /** Written to meta.properties when it is made; an existing file keeps its own. */
  clusterId?: string
  nodeId?: number
  logger?: Logger
  clock?: Clock
}

export interface OpenLogOptions {
  topic: string
  partition: number
  /** 32 hex digits. */
  topicId: string
  config: LogConfig
  /** The partition's leader epoch as the broker knows it; the log's is the larger of this and its own. */
  leaderEpoch?: number
}

/** A partition folder found on disk. */
export interface FoundPartition {
  topic: string
  partition: number
  /** From partition.metadata; null where there is none. */
  topicId: string | null
}

export declare class LogDirectory {
  static open(engine: Engine, path: string, options?: LogDirectoryOptions): Promise<LogDirectory>
  readonly path: string
  readonly readOnly: boolean
  readonly leftBehind: LeftBehind
  /** Another process writes here while this one reads. */
  readonly live: boolean
  /** From meta.properties; null for a read-only directory without one. */
  readonly clusterId: string | null
  readonly nodeId: number | null
  readonly directoryId: string | null
  /** The engine's directory, for other durable files (seglog.json). */
  readonly files: Directory
  readonly offline: boolean
  onOffline: ((error: Error) => void) | null
  /** Partition folders on disk when the directory was opened. */
  readonly found: readonly FoundPartition[]
  /** Opens the log, creating folder and files if it has none. The same partition gives the same log until it is closed. */
  openLog(options: OpenLogOptions): Promise<Log>
  /** Renames the folder to `<topic>-<partition>.<uuid>-delete` and removes it; resolves once renamed. */
  deleteLog(topic: string, partition: number): Promise<void>
  /** Seals and flushes all logs, writes the checkpoints and the clean-shutdown marker, releases the lock. Idempotent. */
  close(): Promise<void>
}
