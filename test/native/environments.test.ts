import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { batch } from './batches.js'
import { bundledEngine } from './bundle.js'
import { appendAny, engine, freshFolder, openDirectory, openSegment } from './workspace.js'

/** How often a worker is ended in the middle of its work; the long suite sets more. */
const loops = Number(process.env.SEGLOG_LOOPS ?? 8)
const program = (name: string) => join(__dirname, 'programs', name)
let bundle: string

beforeAll(async () => {
  bundle = await bundledEngine()
})

afterAll(() => rmSync(bundle, { force: true }))

function worker(exitAfter = -1): Worker {
  const workerData = { engine: bundle, folder: freshFolder(), batch: batch({ records: 5, valueBytes: 300 }), exitAfter }
  return new Worker(program('append-for-ever.cjs'), { workerData })
}

test(`workers terminated in the middle of appending leave no mapping behind (${loops} times)`, async () => {
  for (let i = 0; i < loops; i++) {
    const appending = worker()
    await once(appending, 'message')
    if (i % 2) await new Promise((resolve) => setTimeout(resolve, i % 17))
    await appending.terminate()
    expect(engine.liveMappings()).toBe(0)
  }
}, 600_000)

test(`workers that exit in the middle of appending leave no mapping behind (${loops} times)`, async () => {
  for (let i = 0; i < loops; i++) {
    const [code] = await once(worker(3 + (i % 5)), 'exit')
    expect(code).toBe(0)
    expect(engine.liveMappings()).toBe(0)
  }
}, 600_000)

test('several workers and the main thread append at once, each with its own engine', async () => {
  const workers = [worker(), worker(), worker()]
  const segment = await openSegment(await openDirectory())
  await Promise.all(workers.map((appending) => once(appending, 'message')))
  for (let i = 0; i < 100; i++) expect(await appendAny(segment, batch())).toBe(i)
  await Promise.all(workers.map((appending) => appending.terminate()))
  expect(await appendAny(segment, batch())).toBe(100)
})

test('a process that is done ends by itself though a directory and a segment are open', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [program('idle.cjs'), bundle, freshFolder(), batch().toString('hex')],
    { timeout: 20_000 },
  )
  expect(stdout).toBe('appended 0\n')
})

test('pending work keeps a process alive until it is done', async () => {
  const script = `
    const { openEngine } = require(${JSON.stringify(bundle)})
    openEngine().openDirectory(${JSON.stringify(freshFolder())}).then(async (directory) => {
      for (let i = 0; i < 20; i++) await directory.replaceFile('x', Buffer.from(String(i)))
      console.log('done ' + (await directory.readFile('x')))
    })`
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { timeout: 20_000 })
  expect(stdout).toBe('done 19\n')
})

test('a directory left open by a terminated worker can be opened at once', async () => {
  const folder = freshFolder()
  const workerData = { engine: bundle, folder, batch: batch(), exitAfter: -1 }
  const appending = new Worker(program('append-for-ever.cjs'), { workerData })
  await once(appending, 'message')
  await appending.terminate()
  const directory = await openDirectory(folder)
  expect(directory.leftBehind).toBe('killed')
  const end = { position: directory.ends[0]!.endPosition, offset: directory.ends[0]!.endOffset }
  const segment = await openSegment(directory, { create: false, segmentBytes: 64 << 20, end })
  expect(segment.endOffset).toBeGreaterThan(0)
  expect(await appendAny(segment, batch())).toBe(end.offset)
})
