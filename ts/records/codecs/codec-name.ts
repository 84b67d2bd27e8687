import { SeglogError } from '../../errors/seglog-error.js'

/** Kafka's compression types, at the index that the attributes field of a batch holds for them. */
export const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export type CodecName = (typeof codecNames)[number]

/** The codec of a batch's attributes. Throws SeglogError INVALID_BATCH for an index that Kafka does not know. */
export function codecName(index: number): CodecName {
  const name = codecNames[index]
  if (name === undefined) {
    throw new SeglogError('INVALID_BATCH', `codec ${index} in the attributes of this batch: Kafka knows 0 to 4`)
  }
  return name
}

/** The attribute bits of a codec. */
export function codecIndex(name: CodecName): number {
  return codecNames.indexOf(name)
}
