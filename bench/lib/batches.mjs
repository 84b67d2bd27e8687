/** Ready-made record batches, for benchmarks below the library. CRC left to the engine. */

/** One uncompressed batch of about `bytes`, in records of `recordBytes`, base offset 0. */
export function makeBatch(RecordBatchBuilder, bytes, recordBytes) {
  const builder = new RecordBatchBuilder({ maxBytes: bytes })
  const now = Date.now()
  for (let n = 0; ; n += 1) {
    const value = Buffer.alloc(recordBytes, n & 0xff)
    if (!builder.append({ value, timestamp: now })) break
  }
  return Buffer.from(builder.finish())
}
