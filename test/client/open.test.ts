import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { open } from '../../ts/index.js'
import { openMemory } from './open-memory.js'
import { readAll } from './read-all.js'
import { rejection } from './rejection.js'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seglog-open-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('a directory', () => {
  test('what one open writes, the next one reads', async () => {
    const data = join(folder, 'a', 'b')
    const first = await open(data)
    await first.producer().send({ topic: 't', messages: [{ key: 'k', value: 'v' }] })
    await first.close()
    const second = await open(data, { readOnly: true })
    expect((await readAll(second, 't')).map(({ value }) => String(value))).toEqual(['v'])
    expect(await rejection(second.producer().send({ topic: 't', messages: ['w'] }))).toMatchObject({
      code: 'READ_ONLY',
    })
    expect(await rejection(second.admin().createTopic({ topic: 'u' }))).toMatchObject({ code: 'READ_ONLY' })
    await second.close()
  })

  test('one open writes', async () => {
    const log = await open(folder)
    const error = await rejection(open(folder))
    expect(error).toMatchObject({ code: 'DIRECTORY_IN_USE' })
    expect(error.message).toContain(String(process.pid))
    await log.close()
    await (await open(folder)).close()
  })

  test('a path that is a file, and one that is not there', async () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    expect(await rejection(open(file))).toMatchObject({ code: 'NOT_A_DIRECTORY' })
    expect(await rejection(open(join(folder, 'no'), { readOnly: true }))).toMatchObject({ code: 'FILE_NOT_FOUND' })
    expect(existsSync(join(folder, 'no'))).toBe(false)
  })

  test('broker configs', async () => {
    const log = await openMemory({ config: { 'num.partitions': 7, 'auto.create.topics.enable': false } })
    await log.admin().createTopic({ topic: 't' })
    expect((await log.admin().describeTopic('t')).partitions).toHaveLength(7)
    expect(await rejection(log.producer().send({ topic: 'u', messages: ['v'] }))).toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    expect(await rejection(open('memory:', { config: { 'num.partition': 7 } }))).toMatchObject({
      code: 'UNKNOWN_CONFIG',
    })
  })
})

describe('memory:', () => {
  test('is gone when it is closed', async () => {
    const log = await openMemory()
    await log.producer().send({ topic: 't', messages: ['v'] })
    expect(existsSync(log.path)).toBe(true)
    await Promise.all([log.close(), log.close()])
    expect(existsSync(log.path)).toBe(false)
  })

  test('two of them have nothing in common', async () => {
    const [one, other] = [await openMemory(), await openMemory()]
    await one.producer().send({ topic: 't', messages: ['v'] })
    expect(await other.admin().listTopics()).toEqual([])
  })

  test('of any number that are open the process has one listener, and of none no listener', async () => {
    const before = process.listenerCount('exit')
    const logs = await Promise.all(Array.from({ length: 12 }, () => open('memory:')))
    expect(process.listenerCount('exit')).toBe(before + 1)
    await logs[0].close()
    expect(logs.map(({ path }) => existsSync(path))).toEqual(logs.map((_, n) => n > 0))
    await Promise.all(logs.map((log) => log.close()))
    expect(logs.some(({ path }) => existsSync(path))).toBe(false)
    expect(process.listenerCount('exit')).toBe(before)
  })

  test('closes itself at the end of its block', async () => {
    const log = await openMemory()
    await log[Symbol.asyncDispose]()
    expect(() => log.consumer()).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  })
})

test('an idle log lets the process end', () => {
  const program = `
    const { open } = require(${JSON.stringify(join(__dirname, '../../dist/index.js'))})
    open(${JSON.stringify(folder)}).then(async (log) => {
      await log.producer().send({ topic: 't', messages: ['v'] })
      const consumer = log.consumer({ from: 'earliest' })
      await consumer.subscribe(['t'])
      for await (const message of consumer) break
      console.log('idle')
    })`
  const { stdout, status, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 20_000 })
  expect({ stdout, status, stderr }).toEqual({ stdout: 'idle\n', status: 0, stderr: '' })
})
