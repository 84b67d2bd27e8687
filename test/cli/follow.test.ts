import { describe, expect, test } from 'vitest'
import { open } from '../../ts/index.js'
import { RunningCli, seglog, temporaryFolder } from './run-cli.js'

const text = ['--format', '%v\\n']

describe('consume follows', () => {
  test('a directory that another process writes, new partitions included, until it is told to stop', async () => {
    const data = temporaryFolder()
    const log = await open(data)
    await log.admin().createTopic({ topic: 't', partitions: 1 })
    const producer = log.producer()
    await producer.send({ topic: 't', messages: [{ value: 'one' }] })
    const reader = new RunningCli(['consume', 't', ...text, '--data', data])
    await reader.says(/one\n/)
    await producer.send({ topic: 't', messages: [{ value: 'two' }] })
    await reader.says(/two\n/)
    await log.admin().createPartitions({ topic: 't', count: 2 })
    await producer.send({ topic: 't', messages: [{ value: 'three', partition: 1 }] })
    await reader.says(/three\n/)
    await log.close()
    await seglog(['produce', 't', '--partition', '0', '--data', data], 'four\n')
    await reader.says(/four\n/)
    const outcome = await reader.signal('SIGINT')
    expect(outcome).toMatchObject({ code: 0, stdout: 'one\ntwo\nthree\nfour\n' })
    expect(outcome.stderr).toMatch(/^4 records of t,/)
  })

  test('until so many records came, and from the end', async () => {
    const data = temporaryFolder()
    await seglog(['produce', 't', '--data', data], 'old\n')
    const reader = new RunningCli(['consume', 't', '--from', 'end', '--count', '2', ...text, '--data', data])
    // It may look before or after the first of these is written: each is a new one, and two of them are enough.
    const written: string[] = []
    const ended = reader.ended.then(() => true)
    do {
      written.push(`new ${written.length}\n`)
      await seglog(['produce', 't', '--data', data], written.at(-1))
    } while (!(await Promise.race([ended, Promise.resolve(false)])))
    const { code, stdout } = await reader.ended
    expect(code).toBe(0)
    expect(stdout.split('\n').filter(Boolean)).toHaveLength(2)
    expect(written.join('')).toContain(stdout)
  })
})

test('produce writes what was typed before it is interrupted', async () => {
  const data = temporaryFolder()
  await seglog(['topic', 'create', 't', '--data', data])
  const writer = new RunningCli(['produce', 't', '--data', data])
  writer.types('typed\n')
  const reader = new RunningCli(['consume', 't', '--count', '1', ...text, '--data', data])
  expect(await reader.ended).toMatchObject({ code: 0, stdout: 'typed\n' })
  const outcome = await writer.signal('SIGINT')
  expect(outcome).toMatchObject({ code: 0 })
  expect(outcome.stderr).toMatch(/^1 record, 5 B to t in /)
})
