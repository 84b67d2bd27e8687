import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { AppendOptions, Directory, Segment, SegmentOptions } from '../../ts/native/engine.js'
import { openEngine } from '../../ts/native/open-engine.js'

export const engine = openEngine()
export const topicId = '0123456789abcdef0123456789abcdef'
export const plain: AppendOptions = { leaderEpoch: 3, appendTime: -1, crc: 'compute' }
export const noLimit = Number.MAX_SAFE_INTEGER

const folders: string[] = []
const directories: Directory[] = []

afterEach(async () => {
  engine.injectFaults(null)
  await Promise.all(directories.splice(0).map((directory) => directory.close(false).catch(() => {})))
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A fresh folder, removed after the test. */
export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'seglog-native-'))
  folders.push(folder)
  return folder
}

/** Opens a directory that is closed after the test. */
export async function openDirectory(path = freshFolder(), readOnly = false): Promise<Directory> {
  const directory = await engine.openDirectory(path, { readOnly })
  directories.push(directory)
  return directory
}

/** An active segment of partition `t-0`, created unless it is said otherwise. */
export async function openSegment(directory: Directory, options: Partial<SegmentOptions> = {}): Promise<Segment> {
  const folder = options.folder ?? 't-0'
  if (options.create !== false) await directory.makeDirectory(folder)
  return engine.openSegment(directory, {
    baseOffset: 0,
    active: true,
    segmentBytes: 16 << 20,
    indexBytes: 1 << 20,
    indexIntervalBytes: 4096,
    slot: directory.readOnly ? null : directory.slot(topicId, 0),
    create: true,
    ...options,
    folder,
  })
}

/** Appends by the mapped lane where it is ready, else by the storage lane; the base offset. */
export async function appendAny(segment: Segment, bytes: Buffer, options = plain): Promise<number> {
  const out = new Float64Array(4)
  if (segment.appendNow(bytes, options, out) === 0) return out[0]!
  return (await segment.append([bytes], options)).baseOffset
}

/** Repeats appendNow until the mapped lane is ready; true when it took the batch. */
export async function untilMapped(
  segment: Segment,
  bytes: Buffer,
  out: Float64Array,
  options = plain,
): Promise<boolean> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (segment.appendNow(bytes, options, out) === 0) return true
    await segment.append([bytes], options)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return false
}
