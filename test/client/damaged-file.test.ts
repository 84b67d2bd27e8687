import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openMemory } from './open-memory.js'
import { rejection } from './rejection.js'

test('a batch that does not match its checksum, unless that is not looked at', async () => {
  const log = await openMemory()
  await log.admin().createTopic({ topic: 't', partitions: 1 })
  await log.producer({ acks: 1 }).send({ topic: 't', messages: ['0', '1', '2'] })
  const file = `${log.path}/t-0/00000000000000000000.log`
  const at = readFileSync(file).indexOf('1', 61)
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, '9', at)
  closeSync(descriptor)
  const read = async (checkCrcs: boolean) => {
    const values: string[] = []
    const consumer = log.consumer({ from: 'earliest', checkCrcs })
    await consumer.subscribe(['t'])
    for await (const { value } of consumer) if (values.push(String(value)) === 3) return values
    return values
  }
  expect(await rejection(read(true))).toMatchObject({ code: 'CORRUPT_BATCH', offset: 0n })
  expect(await read(false)).not.toEqual(['0', '1', '2'])
})
