import type { Directory, EndsSlot, Engine } from '../native/engine.js'
import type { LogConfig } from './log-config.js'
import type { Clock, Logger } from './logger.js'
import type { OpenSegments } from './open-segments.js'

/** What all parts of one log share. */
export interface LogContext {
  readonly engine: Engine
  readonly directory: Directory
  readonly topic: string
  readonly partition: number
  /** The partition's folder, relative to the directory. */
  readonly folder: string
  readonly readOnly: boolean
  /** Null when opened read-only. */
  readonly slot: EndsSlot | null
  readonly openSegments: OpenSegments
  readonly logger: Logger
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  config: LogConfig
}
