import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openEngine } from '../../ts/native/open-engine.js'

/** Of the header in `native/core/ends_format.cc`, little-endian. */
const inodeAt = 24
const bootIdAt = 32
const crcAt = bootIdAt + 64

/**
 * Makes a copied directory look as the original would after the power came back: `.ends` is that very file, written by
 * another boot. Its ends are no longer believed, its durable bounds still count.
 */
export function afterPowerLoss(path: string): string {
  const file = join(path, '.ends')
  const bytes = readFileSync(file)
  bytes.writeBigUInt64LE(statSync(file, { bigint: true }).ino, inodeAt)
  bytes.write('another boot'.padEnd(36), bootIdAt)
  bytes.writeUInt32LE(openEngine().crc32c(bytes.subarray(0, crcAt)), crcAt)
  writeFileSync(file, bytes)
  return path
}
