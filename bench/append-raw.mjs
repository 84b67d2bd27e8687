/**
 * The engine's append alone: finished batches into segments, CRC computed, indexed, published; against fs.writevSync of
 * the same bytes, and against memcpy into the mapped page cache's stand-in, a warm buffer (the limit).
 */
import { closeSync, openSync, writevSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { makeBatch } from './lib/batches.mjs'
import { loadInternal } from './lib/internals.mjs'
import { alternate, seconds, withFolder } from './lib/rounds.mjs'

const { openEngine } = loadInternal('native/open-engine.ts')
const { RecordBatchBuilder } = loadInternal('records/record-batch-builder.ts')
const engine = openEngine()

const options = { leaderEpoch: 0, appendTime: -1, crc: 'compute' }

async function segments(folder, batch, total) {
  const directory = await engine.openDirectory(folder)
  const slot = directory.slot('00'.repeat(16), 0)
  await directory.makeDirectory(join(folder, 'bench-0'))
  const segmentOf = (baseOffset) =>
    engine.openSegment(directory, {
      folder: 'bench-0',
      baseOffset,
      active: true,
      segmentBytes: 2 ** 30,
      indexBytes: 10 << 20,
      indexIntervalBytes: 4096,
      slot,
      create: true,
    })
  let segment = await segmentOf(0)
  const out = new Float64Array(4)
  const took = await seconds(async () => {
    let pending = []
    for (let done = 0; done < total; done += batch.length) {
      const outcome = pending.length === 0 ? segment.appendNow(batch, options, out) : 1
      if (outcome === 2) {
        await segment.seal()
        const next = segment.endOffset
        await segment.close()
        segment = await segmentOf(next)
        done -= batch.length
      } else if (outcome === 1) {
        pending.push(segment.append([batch], options))
        if (pending.length >= 16) {
          await Promise.all(pending)
          pending = []
          await turn()
        }
      }
    }
    await Promise.all(pending)
  })
  await segment.close()
  await directory.close(false)
  return total / took / 1e6
}

async function writev(folder, batch, total) {
  const file = openSync(join(folder, 'plain'), 'w')
  const took = await seconds(async () => {
    for (let done = 0; done < total; done += batch.length) writevSync(file, [batch])
  })
  closeSync(file)
  return total / took / 1e6
}

async function memcpy(batch, total) {
  const target = Buffer.alloc(64 << 20)
  const took = await seconds(async () => {
    let at = 0
    for (let done = 0; done < total; done += batch.length) {
      if (at + batch.length > target.length) at = 0
      target.set(batch, at)
      at += batch.length
    }
  })
  return total / took / 1e6
}

export async function run(report) {
  for (const [title, bytes, record, total] of [
    ['1 KiB', 1024, 800, 128 << 20],
    ['16 KiB', 16 << 10, 1000, 256 << 20],
    ['64 KiB', 64 << 10, 1000, 256 << 20],
    ['1 MiB', 1 << 20, 1000, 256 << 20],
  ]) {
    const batch = makeBatch(RecordBatchBuilder, bytes, record)
    const figures = await alternate(3, {
      seglog: () => withFolder((folder) => segments(folder, batch, total)),
      writev: () => withFolder((folder) => writev(folder, batch, total)),
      memcpy: () => memcpy(batch, total),
    })
    for (const peer of ['writev', 'memcpy']) {
      report({
        name: `append ${title} batches${peer === 'memcpy' ? ' against the limit' : ''}`,
        value: figures.seglog,
        unit: 'MB/s',
        peer: peer === 'writev' ? 'fs.writevSync' : 'memcpy',
        peerValue: figures[peer],
        ratio: figures.seglog / figures[peer],
      })
    }
  }
}
