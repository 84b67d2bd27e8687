import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { jsonLines, seglog, temporaryFolder } from './run-cli.js'

describe('topics', () => {
  test('create, list, describe, alter, delete', async () => {
    const data = temporaryFolder()
    const created = await seglog([
      'topic',
      'create',
      'orders',
      '--partitions',
      '2',
      '--config',
      'retention.ms=5000',
      '--data',
      data,
    ])
    expect(created.code).toBe(0)
    expect(jsonLines(created.stdout)).toMatchObject([{ topic: 'orders', partitions: 2, created: true }])
    const again = ['topic', 'create', 'orders', '--data', data]
    const refused = await seglog(again)
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toMatch(/^seglog: .*orders.*\(TOPIC_ALREADY_EXISTS\)\n$/)
    expect(jsonLines((await seglog([...again, '--if-not-exists'])).stdout)).toMatchObject([
      { created: false, partitions: 2 },
    ])
    expect(
      (await seglog(['topic', 'alter', 'orders', '--partitions', '3', '--reset', 'retention.ms', '--data', data])).code,
    ).toBe(0)
    expect(jsonLines((await seglog(['topic', 'list', '--data', data])).stdout)).toMatchObject([
      { topic: 'orders', partitions: 3 },
    ])
    await seglog(['produce', 'orders', '--partition', '2', '--data', data], 'a\nb\n')
    await seglog(['produce', 'orders', '--partition', '1', '--data', data], 'c\n')
    await seglog(['produce', 'orders', '--partition', '0', '--data', data], 'd\n')
    const described = jsonLines((await seglog(['topic', 'describe', 'orders', '--data', data])).stdout)
    expect(described).toMatchObject([{ topic: 'orders', configs: {} }])
    expect(described[0].partitions).toContainEqual(
      expect.objectContaining({ partition: 2, earliest: '0', latest: '2', leader: 1, isr: [1] }),
    )
    expect((await seglog(['topic', 'delete', 'orders', '--data', data])).code).toBe(0)
    expect((await seglog(['topic', 'delete', 'orders', '--data', data])).code).toBe(1)
    expect((await seglog(['topic', 'delete', 'orders', '--if-exists', '--data', data])).code).toBe(0)
  })
})

describe('one topic', () => {
  async function three(): Promise<string> {
    const data = temporaryFolder()
    await seglog(['topic', 'create', 't', '--config', 'retention.ms=5000', '--data', data])
    await seglog(['produce', 't', '--data', data], 'a\nb\nc\n')
    return data
  }

  test('configs, all of them or those that were set', async () => {
    const data = await three()
    const all = jsonLines((await seglog(['topic', 'config', 't', '--data', data])).stdout)
    expect(all).toContainEqual(expect.objectContaining({ config: 'retention.ms', value: '5000', source: 'topic' }))
    expect(all).toContainEqual(expect.objectContaining({ config: 'segment.bytes', source: 'default' }))
    const own = jsonLines((await seglog(['topic', 'config', 't', '--set-only', '--data', data])).stdout)
    expect(own.map(({ config }) => config)).toEqual(['retention.ms'])
  })

  test('offsets: both ends, one, or those of a time', async () => {
    const data = await three()
    const offsets = async (...args: string[]) =>
      jsonLines((await seglog(['topic', 'offsets', 't', '--data', data, ...args])).stdout)
    expect(await offsets()).toEqual([{ topic: 't', partition: 0, earliest: '0', latest: '3' }])
    expect(await offsets('--at', 'end')).toEqual([{ topic: 't', partition: 0, offset: '3' }])
    expect(await offsets('--at', '@0')).toMatchObject([{ partition: 0, offset: '0' }])
    expect(await offsets('--at', '@2100-01-01')).toMatchObject([{ offset: null, timestamp: null }])
    expect((await seglog(['topic', 'offsets', 't', '--at', '5', '--data', data])).code).toBe(2)
  })

  test('records before an offset can be deleted', async () => {
    const data = await three()
    const deleted = await seglog(['topic', 'delete-records', 't', '--before', '2', '--data', data])
    expect(jsonLines(deleted.stdout)).toEqual([{ topic: 't', partition: 0, earliest: '2' }])
    const read = await seglog(['consume', 't', '--exit-at-end', '--format', '%v', '--data', data])
    expect(read.stdout).toBe('c')
    await seglog(['topic', 'delete-records', 't', '--before', 'end', '--partition', '0', '--data', data])
    expect((await seglog(['consume', 't', '--exit-at-end', '--data', data])).stdout).toBe('')
    const nowhere = ['topic', 'delete-records', 't', '--before', 'end', '--partition', '7', '--data', data]
    expect(await seglog(nowhere)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('(UNKNOWN_TOPIC_OR_PARTITION)'),
    })
  })
})

describe('produce and consume', () => {
  test('lines in, records out', async () => {
    const data = temporaryFolder()
    const args = [
      'produce',
      'visits',
      '--key-separator',
      ':',
      '--header',
      'a=b',
      '--header',
      'c=d=e',
      '--json',
      '--data',
      data,
    ]
    const produced = await seglog(args, 'ann:/home\r\nbob:/c:art\nnone\n\nlast')
    expect(produced.stderr).toMatch(/^5 records, .* to visits in /)
    expect(jsonLines(produced.stdout)).toMatchObject([{ topic: 'visits', records: 5, partitions: [0] }])
    const format = '%t|%p|%o|%k|%v|%h|%%\\n'
    const consumed = await seglog(['consume', 'visits', '--exit-at-end', '--format', format, '--data', data])
    expect(consumed.stdout.split('\n')).toEqual([
      'visits|0|0|ann|/home|a=b,c=d=e|%',
      'visits|0|1|bob|/c:art|a=b,c=d=e|%',
      'visits|0|2||none|a=b,c=d=e|%',
      'visits|0|3|||a=b,c=d=e|%',
      'visits|0|4||last|a=b,c=d=e|%',
      '',
    ])
    expect(consumed.stderr).toMatch(/^5 records of visits/)
  })

  test('a file, compressed, into a named partition', async () => {
    const data = temporaryFolder()
    const file = join(data, '..', `${data.split('/').at(-1)}.txt`)
    const lines = Array.from({ length: 20_000 }, (_, n) => `line ${n}`)
    writeFileSync(file, lines.join('\n'))
    await seglog(['topic', 'create', 't', '--partitions', '3', '--data', data])
    const args = [
      'produce',
      't',
      '--file',
      file,
      '--partition',
      '1',
      '--acks',
      '1',
      '--compression',
      'zstd',
      '--data',
      data,
    ]
    expect(await seglog(args)).toMatchObject({ code: 0, stdout: '' })
    const consumed = await seglog([
      'consume',
      't',
      '--partition',
      '1',
      '--exit-at-end',
      '--format',
      '%v\\n',
      '--data',
      data,
    ])
    expect(consumed.stdout).toBe(`${lines.join('\n')}\n`)
  })

  test('a file that is not there', async () => {
    const data = join(temporaryFolder(), 'data')
    const outcome = await seglog(['produce', 't', '--file', join(data, 'no'), '--data', data])
    expect(outcome).toMatchObject({ code: 1, stdout: '' })
    expect(outcome.stderr).toMatch(/^seglog: ENOENT.*\(ENOENT\)\n$/)
    expect(existsSync(data)).toBe(false)
  })

  test('where to begin and when to stop', async () => {
    const data = temporaryFolder()
    await seglog(['produce', 't', '--data', data], '0\n1\n2\n3\n4\n')
    const consume = async (...args: string[]) =>
      (await seglog(['consume', 't', '--format', '%v', '--exit-at-end', '--data', data, ...args])).stdout
    expect(await consume()).toBe('01234')
    expect(await consume('--from', '3')).toBe('34')
    expect(await consume('--from', '-2')).toBe('34')
    expect(await consume('--from', '-99')).toBe('01234')
    expect(await consume('--from', 'end')).toBe('')
    expect(await consume('--from', '@0')).toBe('01234')
    expect(await consume('--from', '@2100-01-01T00:00:00Z')).toBe('')
    expect(await consume('--count', '2')).toBe('01')
    expect(await consume('--count', '0')).toBe('')
    expect(await consume('--from', '1', '--count', '1')).toBe('1')
  })

  test('JSON keeps bytes that are no text', async () => {
    const data = temporaryFolder()
    const file = join(data, 'bytes')
    writeFileSync(file, Buffer.from([0xff, 0x01, 0x0a]))
    await seglog(['produce', 't', '--file', file, '--data', join(data, 'd')])
    const consumed = await seglog(['consume', 't', '--exit-at-end', '--json', '--data', join(data, 'd')])
    expect(jsonLines(consumed.stdout)).toMatchObject([{ offset: '0', key: null, value: { base64: '/wE=' } }])
  })

  test('a topic that is not there', async () => {
    const data = temporaryFolder()
    await seglog(['topic', 'create', 't', '--data', data])
    const outcome = await seglog(['consume', 'nope', '--exit-at-end', '--data', data])
    expect(outcome).toMatchObject({ code: 1, stdout: '' })
    expect(outcome.stderr).toContain('(UNKNOWN_TOPIC_OR_PARTITION)')
  })
})

describe('usage', () => {
  test.each([
    [[]],
    [['topic']],
    [['produce']],
    [['nonsense']],
    [['produce', 't', '--acks', '2']],
    [['produce', 't', '--header', 'novalue']],
    [['consume', 't', '--from', 'yesterday']],
    [['consume', 't', '--format', '%x']],
    [['consume', 't', '--partition', '-1']],
    [['topic', 'create', 't', '--partitions', 'many']],
    [['topic', 'alter', 't']],
    [['log', 'verify']],
    [['topic', 'delete-records', 't']],
    [['topic', 'list', '--data', 'd', '--bootstrap', 'h:9092']],
    [['topic', 'list', '--bootstrap', 'h']],
    [['topic', 'list', '--bootstrap', 'h:9092,i:99999']],
    [['bench', '--records', '0']],
  ])('%j is bad usage', async (args) => {
    const { code, stdout, stderr } = await seglog(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).not.toBe('')
  })

  test.each([[['--help']], [['--version']], [['topic', '--help']], [['consume', '--help']]])(
    '%j is not',
    async (args) => {
      expect((await seglog(args)).code).toBe(0)
    },
  )

  test('a data directory that is not there', async () => {
    const outcome = await seglog(['topic', 'list', '--data', join(temporaryFolder(), 'no')])
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toContain('(FILE_NOT_FOUND)')
  })
})

test('bench prints a rate for writing and one for reading', async () => {
  const { code, stdout } = await seglog(['bench', '--records', '20000', '--size', '10', '--json'])
  expect(code).toBe(0)
  expect(jsonLines(stdout)).toMatchObject([
    { what: 'write', records: 20_000, bytes: 200_000 },
    { what: 'read', records: 20_000, bytes: 200_000 },
  ])
})
