/** Bytes per batch in `ScanResult.producers`; the layout is described in `native/core/segment_scan.h`. */
export const scanProducerBytes = 64

/** One batch with a producer id, as a scan found it. */
export interface ScannedProducerBatch {
  producerId: number
  producerEpoch: number
  baseOffset: number
  lastOffset: number
  maxTimestamp: number
  /** Of the batch in its file. */
  position: number
  /** -1 in control batches. */
  baseSequence: number
  lastOffsetDelta: number
  recordCount: number
  attributes: number
  /** 0 abort, 1 commit; -1 in batches of data. */
  controlType: number
  /** -1 in batches of data. */
  coordinatorEpoch: number
}

/** Reads `ScanResult.producers`, in log order. */
export function* scannedProducers(packed: Buffer): Generator<ScannedProducerBatch> {
  for (let at = 0; at + scanProducerBytes <= packed.length; at += scanProducerBytes) {
    yield {
      producerId: Number(packed.readBigInt64LE(at)),
      baseOffset: Number(packed.readBigInt64LE(at + 8)),
      lastOffset: Number(packed.readBigInt64LE(at + 16)),
      maxTimestamp: Number(packed.readBigInt64LE(at + 24)),
      position: Number(packed.readBigInt64LE(at + 32)),
      baseSequence: packed.readInt32LE(at + 40),
      lastOffsetDelta: packed.readInt32LE(at + 44),
      recordCount: packed.readInt32LE(at + 48),
      coordinatorEpoch: packed.readInt32LE(at + 52),
      producerEpoch: packed.readInt16LE(at + 56),
      attributes: packed.readInt16LE(at + 58),
      controlType: packed.readInt16LE(at + 60),
    }
  }
}
