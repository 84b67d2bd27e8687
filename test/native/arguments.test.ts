import { expect, test } from 'vitest'
import type { AppendOptions, SegmentOptions } from '../../ts/native/engine.js'
import { batch } from './batches.js'
import { appendAny, engine, noLimit, openDirectory, openSegment, plain } from './workspace.js'

const refused = expect.objectContaining({ name: 'SeglogError', code: 'INVALID_ARGUMENT' })
const nonsense: unknown[] = [
  undefined,
  null,
  {},
  'x',
  1.5,
  -2,
  Number.NaN,
  2 ** 53,
  Symbol('s'),
  () => 1,
  [1],
  new Float64Array(2),
]
const out = new Float64Array(4)

test('no value of a wrong kind gets past the border', async () => {
  const segment = await openSegment(await openDirectory())
  await appendAny(segment, batch())
  const bytes = batch()
  for (const value of nonsense) {
    const wrong = value as never
    expect(() => segment.appendNow(wrong, plain, out)).toThrow(refused)
    expect(() => segment.appendNow([bytes, wrong], plain, out)).toThrow(refused)
    expect(() => segment.appendNow(bytes, { ...plain, leaderEpoch: wrong }, out)).toThrow(refused)
    expect(() => segment.appendNow(bytes, { ...plain, appendTime: wrong }, out)).toThrow(refused)
    expect(() => segment.readNow(wrong, noLimit, Buffer.alloc(10))).toThrow(refused)
    expect(() => segment.readNow(0, wrong, Buffer.alloc(10))).toThrow(refused)
    expect(() => segment.readNow(0, noLimit, wrong)).toThrow(refused)
    expect(() => segment.locateNow(wrong)).toThrow(refused)
    await expect(segment.append(wrong, plain)).rejects.toThrow(refused)
    await expect(segment.append([wrong], plain)).rejects.toThrow(refused)
    await expect(segment.locate(wrong)).rejects.toThrow(refused)
    await expect(segment.truncateTo(wrong)).rejects.toThrow(refused)
    if (typeof value !== 'string') await expect(segment.locateTimestamp(wrong)).rejects.toThrow(refused)
  }
  expect(segment.endOffset).toBe(1)
})

test('typed arrays other than bytes are refused, not reinterpreted', async () => {
  const segment = await openSegment(await openDirectory())
  for (const array of [
    new Uint16Array(40),
    new Int8Array(80),
    new DataView(new ArrayBuffer(80)),
    new ArrayBuffer(80),
  ]) {
    expect(() => segment.appendNow(array as never, plain, out)).toThrow(refused)
  }
})

test('a detached buffer is an invalid batch, not a crash', async () => {
  const segment = await openSegment(await openDirectory())
  const bytes = new Uint8Array(batch())
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  await expect(segment.append([bytes], plain)).rejects.toMatchObject({ code: 'INVALID_BATCH' })
})

test('options of a segment are checked one by one', async () => {
  const directory = await openDirectory()
  await directory.makeDirectory('t-0')
  const good: SegmentOptions = {
    folder: 't-0',
    baseOffset: 0,
    active: true,
    segmentBytes: 1 << 20,
    indexBytes: 1 << 16,
    indexIntervalBytes: 4096,
    slot: null,
    create: true,
  }
  const bad: Record<string, unknown>[] = [
    { folder: 7 },
    { baseOffset: -1 },
    { baseOffset: 0.5 },
    { active: 1 },
    { create: 'yes' },
    { segmentBytes: 0 },
    { segmentBytes: 2 ** 31 },
    { indexBytes: Number.NaN },
    { indexIntervalBytes: -1 },
    { slot: {} },
    { end: { position: 'x', offset: 0 } },
    { end: { position: 0, offset: 2 ** 60 } },
  ]
  for (const change of bad) {
    await expect(engine.openSegment(directory, { ...good, ...change }), JSON.stringify(change)).rejects.toThrow(refused)
  }
  await expect(engine.openSegment({} as never, good)).rejects.toThrow(refused)
})

test('crc32c knows its published check value and continues from a part', () => {
  const digits = Buffer.from('123456789')
  expect(engine.crc32c(digits)).toBe(0xe3069283)
  expect(engine.crc32c(digits.subarray(4), engine.crc32c(digits.subarray(0, 4)))).toBe(0xe3069283)
  expect(() => engine.crc32c('x' as never)).toThrow(refused)
})

test('batches that break the rules are named as such in both lanes', async () => {
  const segment = await openSegment(await openDirectory())
  const wrong: [string, Buffer, AppendOptions][] = [
    ['INVALID_BATCH', batch().subarray(0, 40), plain],
    ['INVALID_BATCH', Buffer.concat([batch(), Buffer.from([1])]), plain],
    ['CORRUPT_BATCH', batch(), { ...plain, crc: 'verify' }],
  ]
  for (const [code, bytes, options] of wrong) {
    await expect(segment.append([bytes], options)).rejects.toMatchObject({ code })
  }
  expect(segment.endOffset).toBe(0)
})
