import { constants } from 'node:os'
import { resolve } from 'node:path'
import type { SeglogError } from '../errors/seglog-error.js'
import { ScanFlag } from './binding.js'
import { Calls } from './calls.js'
import { NativeDirectory, NativeSlot } from './directory.js'
import type {
  Directory,
  DirectoryOptions,
  Engine,
  FaultPlan,
  ScanOptions,
  ScanResult,
  Segment,
  SegmentOptions,
} from './engine.js'
import { engineError } from './engine-error.js'
import { loadNative } from './loader.js'
import { NativeSegment } from './segment.js'
import type { WireBinding } from './wire-binding.js'
import { Wires } from './wires.js'

let shared: Engine | undefined

/**
 * The native engine of this thread, loaded on the first call.
 *
 * @throws SeglogError NATIVE_BINARY_MISSING when no binary fits this platform.
 */
export function openEngine(): Engine {
  shared ??= new NativeEngine(new Calls(loadNative()))
  return shared
}

/** Off: see docs/format.md on why. */
const defaultJournalBytes = 0

class NativeEngine implements Engine {
  readonly #calls: Calls
  #wires: Wires | null | undefined

  constructor(calls: Calls) {
    this.#calls = calls
  }

  async openDirectory(path: string, options: DirectoryOptions = {}): Promise<Directory> {
    const { readOnly = false, create = true, journalBytes = defaultJournalBytes } = options
    const opened = await this.#calls.run((native) =>
      native.openDirectory(resolve(path), readOnly, create, journalBytes),
    )
    return new NativeDirectory(this.#calls, opened, readOnly)
  }

  async openSegment(directory: Directory, options: SegmentOptions): Promise<Segment> {
    const owner = ownDirectory(directory)
    const end = options.end === undefined || options.end === 'exact' ? { position: -1, offset: -1 } : options.end
    const handle = await this.#calls.run((native) =>
      native.openSegment(
        owner.handle,
        options.folder,
        options.baseOffset,
        options.active,
        options.create ?? false,
        options.segmentBytes,
        options.indexBytes,
        options.indexIntervalBytes,
        options.slot === null ? 0 : slotHandle(options.slot),
        end.position,
        end.offset,
      ),
    )
    const segment = new NativeSegment(this.#calls, handle, options.baseOffset, (closed) =>
      owner.segments.delete(closed),
    )
    owner.segments.add(segment)
    if (owner.handle !== 0) return segment
    await segment.close()
    throw engineError('CLOSED', 'the directory was closed while a segment was being opened', directory.path)
  }

  scanSegment(directory: Directory, options: ScanOptions): Promise<ScanResult & { indexFaults: string[] }> {
    const flags =
      (options.checkCrc === false ? 0 : ScanFlag.checkCrc) |
      (options.walkRecords ? ScanFlag.walkRecords : 0) |
      (options.rebuildIndexes ? ScanFlag.rebuildIndexes : 0) |
      (options.truncate ? ScanFlag.truncate : 0) |
      (options.verifyIndexes ? ScanFlag.verifyIndexes : 0)
    return this.#calls.run((native) =>
      native.scanSegment(
        ownDirectory(directory).handle,
        options.folder,
        options.baseOffset,
        options.fromPosition ?? 0,
        options.fromOffset ?? -1,
        options.toPosition ?? -1,
        flags,
        options.indexIntervalBytes,
        options.indexBytes,
      ),
    )
  }

  crc32c(bytes: Uint8Array, crc = 0): number {
    return this.#calls.native.crc32c(bytes, crc)
  }

  get wires(): Wires | null {
    if (this.#wires === undefined) this.#wires = startWires(this.#calls.native)
    return this.#wires
  }

  liveMappings(): number {
    return this.#calls.native.liveMappings()
  }

  injectFaults(plan: FaultPlan | null): void {
    const {
      failNth = 0,
      sticky = false,
      kinds = [],
      pathIncludes = '',
      errno = 'EIO',
      kill = false,
    } = plan ?? { failNth: -1 }
    const errorNumber = kill ? 0 : constants.errno[errno]
    this.#calls.native.injectFaults(failNth, sticky, kinds.join(','), pathIncludes, errorNumber)
  }

  ioCalls(): number {
    return this.#calls.native.ioCalls()
  }
}

function startWires(native: Partial<WireBinding>): Wires | null {
  if (native.wireStart === undefined) return null
  try {
    return new Wires(native as WireBinding)
  } catch (error) {
    if ((error as SeglogError).code === 'UNSUPPORTED') return null
    throw error
  }
}

function ownDirectory(directory: Directory): NativeDirectory {
  if (directory instanceof NativeDirectory) return directory
  throw engineError('INVALID_ARGUMENT', 'directory must come from openDirectory of this engine')
}

function slotHandle(slot: object): number {
  if (!(slot instanceof NativeSlot)) throw engineError('INVALID_ARGUMENT', 'slot must come from this directory')
  if (slot.handle === 0) throw engineError('CLOSED', 'the slot was freed')
  return slot.handle
}
