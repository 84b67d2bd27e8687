import { describe, expect, onTestFinished, test } from 'vitest'
import { serve } from '../../ts/index.js'
import { jsonLines, RunningCli, seglog } from './run-cli.js'

async function serving() {
  const served = await serve('memory:', { port: 0 })
  onTestFinished(() => served.close())
  const run = (...args: string[]) => seglog([...args, '--bootstrap', served.bootstrap])
  return { ...served, run }
}

describe('against a broker', () => {
  test('every command of topic', async () => {
    const { run, log } = await serving()
    const created = await run('topic', 'create', 't', '--partitions', '2', '--config', 'retention.ms=5000')
    expect(jsonLines(created.stdout)).toMatchObject([{ topic: 't', partitions: 2, created: true }])
    expect(await run('topic', 'create', 't')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('(TOPIC_ALREADY_EXISTS)'),
    })
    await log.producer().send({ topic: 't', messages: ['a', 'b', 'c'].map((value) => ({ value, partition: 1 })) })
    expect(jsonLines((await run('topic', 'list')).stdout)).toMatchObject([{ topic: 't', partitions: 2 }])
    expect(jsonLines((await run('topic', 'describe', 't')).stdout)).toMatchObject([
      { topic: 't', partitions: [{ latest: '0' }, { latest: '3' }], configs: { 'retention.ms': '5000' } },
    ])
    expect(jsonLines((await run('topic', 'config', 't', '--set-only')).stdout)).toMatchObject([{ value: '5000' }])
    expect(jsonLines((await run('topic', 'offsets', 't', '--at', '@0')).stdout)).toMatchObject([
      { partition: 0, offset: null },
      { partition: 1, offset: '0' },
    ])
    expect((await run('topic', 'alter', 't', '--partitions', '3', '--reset', 'retention.ms')).code).toBe(0)
    const deleted = await run('topic', 'delete-records', 't', '--before', '2', '--partition', '1')
    expect(jsonLines(deleted.stdout)).toEqual([{ topic: 't', partition: 1, earliest: '2' }])
    expect(jsonLines((await run('topic', 'offsets', 't')).stdout)).toMatchObject([
      {},
      { earliest: '2' },
      { latest: '0' },
    ])
    expect((await run('topic', 'delete', 't')).code).toBe(0)
    expect((await run('topic', 'describe', 't')).stderr).toContain('(UNKNOWN_TOPIC_OR_PARTITION)')
  })

  test('lines in, records out, and those that come later', async () => {
    const { run, bootstrap, log } = await serving()
    const produced = await seglog(
      ['produce', 'visits', '--key-separator', ':', '--bootstrap', bootstrap],
      'ann:/home\nbob:/cart',
    )
    expect(produced).toMatchObject({ code: 0, stderr: expect.stringMatching(/^2 records, /) })
    const format = ['--format', '%o %k %v\\n']
    expect((await run('consume', 'visits', '--exit-at-end', ...format)).stdout).toBe('0 ann /home\n1 bob /cart\n')
    expect((await run('consume', 'visits', '--from', '-1', '--count', '1', ...format)).stdout).toBe('1 bob /cart\n')
    const reader = new RunningCli(['consume', 'visits', '--from', 'end', ...format, '--bootstrap', bootstrap])
    const producer = log.producer()
    const sending = setInterval(() => producer.send({ topic: 'visits', messages: [{ key: 'cy', value: '/end' }] }), 50)
    await reader.says(/cy \/end\n/).finally(() => clearInterval(sending))
    const outcome = await reader.signal('SIGTERM')
    expect(outcome).toMatchObject({ code: 0, stderr: expect.stringMatching(/^\d+ records? of visits/) })
    expect(outcome.stdout).not.toContain('ann')
  })

  test('partitions that are added while it follows are read from their first record', async () => {
    const { log, bootstrap } = await serving()
    await log.admin().createTopic({ topic: 't', partitions: 1 })
    const send = (partition: number, value: string) =>
      log.producer().send({ topic: 't', messages: [{ partition, value }] })
    await send(0, 'passed over')
    const reader = new RunningCli(['consume', 't', '--from', '1', '--format', '%v\\n', '--bootstrap', bootstrap])
    await send(0, 'second')
    await reader.says(/second\n/)
    await log.admin().createPartitions({ topic: 't', count: 2 })
    await send(1, 'in the new one')
    await reader.says(/in the new one\n/)
    expect((await reader.signal('SIGINT')).stdout).toBe('second\nin the new one\n')
  })

  test('SEGLOG_BOOTSTRAP stands in for the option', async () => {
    const { bootstrap, log } = await serving()
    await log.admin().createTopic({ topic: 't' })
    const listed = await seglog(['topic', 'list'], '', { SEGLOG_BOOTSTRAP: bootstrap })
    expect(jsonLines(listed.stdout)).toMatchObject([{ topic: 't' }])
  })
})

test('nobody there is said once the time is over', async () => {
  const { bootstrap, close } = await serve('memory:', { port: 0 })
  await close()
  const outcome = await seglog(['topic', 'list', '--bootstrap', bootstrap])
  expect(outcome).toMatchObject({ code: 1, stdout: '' })
  expect(outcome.stderr).toMatch(/^seglog: .*\(BROKER_NOT_AVAILABLE\)\n$/)
})
