import { SeglogError } from '../errors/seglog-error.js'

/** Bytes of a record batch v2 before its records. */
export const batchOverheadBytes = 61
/** baseOffset and batchLength: batchLength counts what follows them. */
export const batchLengthEnd = 12
/** First byte the CRC covers. */
export const crcStart = 21

/** Byte positions of the header's fields within a batch; all are big-endian. */
export const headerAt = {
  baseOffset: 0,
  batchLength: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const

/** Bits of the attributes field; the lowest three hold the codec. */
export const attributeBits = {
  codec: 0x07,
  appendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  deleteHorizon: 0x40,
} as const

const magicV2 = 2
const twoTo32 = 0x1_0000_0000

/**
 * The 61 bytes before the records of one batch, parsed into numbers. Keeps no reference to the bytes. Offsets are safe
 * integers; timestamps are ms, rounded above 2^53; producerId is -1 when there is none.
 */
export class BatchHeader {
  readonly baseOffset: number
  /** Whole batch, header included. */
  readonly sizeBytes: number
  readonly leaderEpoch: number
  readonly crc: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  /** Base of the records' timestamp deltas; where hasDeleteHorizon is set, also the time its tombstones may go. */
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
  private first: bigint | null = null

  /**
   * Parses the header at `start`; the whole batch must lie below `end`. Throws SeglogError CORRUPT_BATCH where it does
   * not, or where magic, length, count, offset or sequence cannot be. Does not look at the records or the CRC.
   */
  constructor(bytes: Uint8Array, start: number, end: number) {
    if (end - start < batchOverheadBytes) throw corrupt(start, `${end - start} bytes are less than a batch header`)
    const magic = bytes[start + headerAt.magic]
    if (magic !== magicV2) throw corrupt(start, `magic is ${magic}, only record batch v2 is known`)
    const batchLength = readInt32(bytes, start + headerAt.batchLength)
    this.sizeBytes = batchLength + batchLengthEnd
    if (this.sizeBytes < batchOverheadBytes) throw corrupt(start, `a length of ${batchLength} is less than its header`)
    if (this.sizeBytes > end - start) {
      throw corrupt(start, `its length of ${this.sizeBytes} bytes passes the end, ${end - start} bytes remain`)
    }
    this.baseOffset = readInt64(bytes, start + headerAt.baseOffset)
    this.leaderEpoch = readInt32(bytes, start + headerAt.leaderEpoch)
    this.crc = readInt32(bytes, start + headerAt.crc) >>> 0
    this.attributes = readInt16(bytes, start + headerAt.attributes)
    this.lastOffsetDelta = readInt32(bytes, start + headerAt.lastOffsetDelta)
    this.baseTimestamp = readInt64(bytes, start + headerAt.baseTimestamp)
    this.maxTimestamp = readInt64(bytes, start + headerAt.maxTimestamp)
    this.producerId = readInt64(bytes, start + headerAt.producerId)
    this.producerEpoch = readInt16(bytes, start + headerAt.producerEpoch)
    this.baseSequence = readInt32(bytes, start + headerAt.baseSequence)
    this.recordCount = readInt32(bytes, start + headerAt.recordCount)
    if (this.recordCount < 0) throw corrupt(start, `its record count is ${this.recordCount}`)
    if (this.lastOffsetDelta < 0) throw corrupt(start, `its last offset delta is ${this.lastOffsetDelta}`)
    if (this.baseOffset < 0 || !Number.isSafeInteger(this.baseOffset + this.lastOffsetDelta)) {
      throw corrupt(start, `its base offset is ${this.baseOffset}`)
    }
    if (this.producerId < -1 || !Number.isSafeInteger(this.producerId)) {
      throw corrupt(start, `its producer id is ${this.producerId}`)
    }
  }

  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta
  }

  /** baseOffset, made once for all records: making a bigint of a large number takes as long as the rest of a record. */
  get firstOffset(): bigint {
    this.first ??= BigInt(this.baseOffset)
    return this.first
  }

  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  get codec(): number {
    return this.attributes & attributeBits.codec
  }

  /** Every record has the batch's max timestamp: the broker's clock at append. */
  get isAppendTime(): boolean {
    return (this.attributes & attributeBits.appendTime) !== 0
  }

  get isTransactional(): boolean {
    return (this.attributes & attributeBits.transactional) !== 0
  }

  /** Holds a transaction marker or other control record: not for consumers. */
  get isControl(): boolean {
    return (this.attributes & attributeBits.control) !== 0
  }

  get hasDeleteHorizon(): boolean {
    return (this.attributes & attributeBits.deleteHorizon) !== 0
  }
}

export function readInt16(bytes: Uint8Array, position: number): number {
  return ((bytes[position] << 24) >> 16) | bytes[position + 1]
}

export function readInt32(bytes: Uint8Array, position: number): number {
  return (bytes[position] << 24) | (bytes[position + 1] << 16) | (bytes[position + 2] << 8) | bytes[position + 3]
}

/** An int64 as a number: exact up to 2^53, rounded above. */
export function readInt64(bytes: Uint8Array, position: number): number {
  return readInt32(bytes, position) * twoTo32 + (readInt32(bytes, position + 4) >>> 0)
}

/** Writes a safe integer as an int64. */
export function writeInt64(bytes: Buffer, position: number, value: number): void {
  bytes.writeInt32BE(Math.floor(value / twoTo32), position)
  bytes.writeUInt32BE(value >>> 0, position + 4)
}

function corrupt(position: number, why: string): SeglogError {
  return new SeglogError('CORRUPT_BATCH', `damaged record batch at byte ${position}: ${why}`, { position })
}
