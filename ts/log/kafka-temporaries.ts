import type { Directory } from '../native/engine.js'
import { RecordBatchReader } from '../records/record-batch-reader.js'
import { removeIfThere } from './log-segments.js'
import { parseFileName, planTemporaries, replacedBySwaps } from './segment-files.js'

/**
 * Finishes what a crash interrupted in a Kafka folder: removes `.deleted`, `.cleaned` and incomplete `.swap` files, then
 * lets complete `.swap` files take the place of the segments they were made from. Returns true if anything changed.
 */
export async function clearTemporaries(
  directory: Directory,
  folder: string,
  names: readonly string[],
): Promise<boolean> {
  const { remove, swaps } = planTemporaries(names)
  if (remove.length === 0 && swaps.length === 0) return false
  for (const name of remove) await removeIfThere(directory, `${folder}/${name}`)
  const bases = swaps.map((name) => parseFileName(name)!).filter((file) => file.suffix === '.log')
  if (bases.length > 0) {
    const last = bases.reduce((a, b) => (b.baseOffset > a.baseOffset ? b : a))
    const end = endOffset(await directory.readFile(`${folder}/${last.name}`), last.baseOffset)
    const from = Math.min(...bases.map((file) => file.baseOffset))
    for (const name of replacedBySwaps(names, from, end)) await removeIfThere(directory, `${folder}/${name}`)
  }
  await directory.syncDirectory(folder)
  for (const name of swaps) await directory.rename(`${folder}/${name}`, `${folder}/${name.slice(0, -'.swap'.length)}`)
  await directory.syncDirectory(folder)
  return true
}

/** The offset after the last batch; a swap file was flushed whole before it got its name. */
function endOffset(bytes: Buffer, baseOffset: number): number {
  let end = baseOffset
  for (const batch of new RecordBatchReader(bytes, { allowCutTail: true })) end = batch.header.lastOffset + 1
  return end
}
