import { describe, expect, onTestFinished, test } from 'vitest'
import { serve } from '../../ts/index.js'
import { jsonLines, RunningCli, seglog, temporaryFolder } from './run-cli.js'

async function serving() {
  const served = await serve('memory:', { port: 0 })
  onTestFinished(() => served.close())
  const to = ['--bootstrap', served.bootstrap]
  const run = (...args: string[]) => seglog([...args, ...to])
  const group = async (...args: string[]) => jsonLines((await run('group', ...args)).stdout)
  return { ...served, to, run, group }
}

/** Topic `t` of two partitions: five records in the first, of which group `g` has read two. */
async function halfRead() {
  const served = await serving()
  await served.log.admin().createTopic({ topic: 't', partitions: 2 })
  const messages = [1, 2, 3, 4, 5].map((n) => ({ partition: 0, value: String(n), timestamp: n * 1000 }))
  await served.log.producer().send({ topic: 't', messages })
  expect(await served.run('consume', 't', '--group', 'g', '--count', '2')).toMatchObject({ code: 0 })
  return served
}

const partition = (committed: string | null, lag: string | null) => ({
  topic: 't',
  partition: 0,
  committed,
  end: '5',
  lag,
})

describe('group', () => {
  test('list and describe, with members and without', async () => {
    const { to, run, group } = await halfRead()
    expect(await group('list')).toMatchObject([{ groupId: 'g', state: 'Empty', protocolType: 'consumer' }])
    expect(await group('describe', 'g')).toMatchObject([
      { groupId: 'g', state: 'Empty', members: [], partitions: [partition('2', '3')] },
    ])
    const member = new RunningCli(['consume', 't', '--group', 'g', ...to])
    await member.says(/"value":"5"/)
    const [described] = await group('describe', 'g')
    expect(described).toMatchObject({ state: 'Stable', assignor: 'range' })
    expect(described.members).toMatchObject([
      { clientId: 'seglog', topics: ['t'], assignment: [{ topic: 't', partition: 0 }, { partition: 1 }] },
    ])
    expect(await run('group', 'delete', 'g')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('(NON_EMPTY_GROUP)'),
    })
    await member.signal('SIGINT')
    expect(await group('describe', 'g')).toMatchObject([{ state: 'Empty', partitions: [partition('5', '0'), {}] }])
  })

  test('reset-offsets shows first, and does it when told to', async () => {
    const { run, group } = await halfRead()
    const reset = (...args: string[]) => group('reset-offsets', 'g', ...args)
    const first = { groupId: 'g', topic: 't', partition: 0, committed: '2' }
    const dry = await run('group', 'reset-offsets', 'g', '--topic', 't:0', '--to-earliest')
    expect(jsonLines(dry.stdout)).toEqual([{ ...first, offset: '0', executed: false }])
    expect(dry.stderr).toMatch(/nothing was set; say --execute/)
    expect(await group('describe', 'g')).toMatchObject([{ partitions: [partition('2', '3')] }])
    expect(await reset('--topic', 't:0', '--to-latest')).toMatchObject([{ offset: '5' }])
    expect(await reset('--topic', 't:0', '--to-offset', '4')).toMatchObject([{ offset: '4' }])
    expect(await reset('--topic', 't:0', '--to-offset', '99')).toMatchObject([{ offset: '5' }])
    expect(await reset('--topic', 't:0', '--to-timestamp', '2500')).toMatchObject([{ offset: '2' }])
    expect(await reset('--topic', 't:0', '--to-datetime', '1970-01-01T00:00:04')).toMatchObject([{ offset: '3' }])
    expect(await reset('--topic', 't:0', '--shift-by', '-1', '--dry-run')).toMatchObject([{ offset: '1' }])
    expect(await reset('--topic', 't:0', '--shift-by', '+2')).toMatchObject([{ offset: '4' }])
    expect(await reset('--topic', 't', '--to-latest', '--execute')).toEqual([
      { ...first, offset: '5', executed: true },
      { ...first, partition: 1, committed: null, offset: '0', executed: true },
    ])
    expect(await group('describe', 'g')).toMatchObject([{ partitions: [partition('5', '0'), { lag: '0' }] }])
    expect(await reset('--all-topics', '--to-earliest', '--execute')).toHaveLength(2)
    expect((await run('consume', 't', '--group', 'g', '--exit-at-end', '--format', '%v')).stdout).toBe('12345')
  })

  test('delete-offsets and delete', async () => {
    const { run, group } = await halfRead()
    expect(await group('delete-offsets', 'g', '--topic', 't:0')).toMatchObject([{ topic: 't', deleted: true }])
    expect(await run('group', 'delete', 'g')).toMatchObject({ code: 0 })
    expect(await group('list')).toEqual([])
    expect((await run('group', 'delete', 'g')).stderr).toContain('(GROUP_ID_NOT_FOUND)')
    expect((await run('group', 'delete', 'g', '--if-exists')).code).toBe(0)
    expect((await run('group', 'describe', 'g')).stderr).toContain('(GROUP_ID_NOT_FOUND)')
  })

  test.each([
    [['reset-offsets', 'g', '--to-earliest']],
    [['reset-offsets', 'g', '--topic', 't']],
    [['reset-offsets', 'g', '--topic', 't', '--to-earliest', '--to-latest']],
    [['reset-offsets', 'g', '--topic', 't', '--all-topics', '--to-earliest']],
    [['reset-offsets', 'g', '--topic', 't', '--to-earliest', '--dry-run', '--execute']],
    [['reset-offsets', 'g', '--topic', 't:x', '--to-earliest']],
    [['delete-offsets', 'g']],
    [['delete']],
  ])('%j is wrong usage', async (args) => {
    expect(await seglog(['group', ...args, '--data', 'nowhere'])).toMatchObject({ code: 2, stdout: '' })
  })

  test('on a directory of this machine', async () => {
    const data = temporaryFolder()
    await seglog(['produce', 't', '--data', data], 'a\nb\n')
    await seglog(['consume', 't', '--group', 'g', '--count', '1', '--data', data])
    const run = async (...args: string[]) => jsonLines((await seglog([...args, '--data', data])).stdout)
    expect(await run('group', 'list')).toMatchObject([{ groupId: 'g' }])
    expect(await run('lag', 'g')).toMatchObject([{ topic: 't', committed: '1', end: '2', lag: '1' }])
    const reset = ['group', 'reset-offsets', 'g', '--topic', 't', '--to-earliest']
    expect(await run(...reset)).toMatchObject([{ offset: '0', executed: false }])
    expect(await run(...reset, '--execute')).toMatchObject([{ executed: true }])
    expect(await run('lag')).toMatchObject([{ groupId: 'g', topic: 't', partitions: 1, lag: '2' }])
  })
})

describe('lag', () => {
  test('of all groups by topic, of one by partition; seconds are the age of the first unread record', async () => {
    const { run } = await halfRead()
    const [summary] = jsonLines((await run('lag')).stdout)
    expect(summary).toMatchObject({ groupId: 'g', topic: 't', lag: '3' })
    const [first] = jsonLines((await run('lag', 'g')).stdout)
    expect(first).toMatchObject({ groupId: 'g', ...partition('2', '3') })
    expect(first.lagSeconds).toBeGreaterThan(1_000_000)
  })

  test('--watch prints what changes, until it is interrupted', async () => {
    const { run, to } = await halfRead()
    const watch = new RunningCli(['lag', 'g', '--watch', '0.1', ...to])
    await watch.says(/"lag":"3"/)
    await run('consume', 't', '--group', 'g', '--exit-at-end')
    await watch.says(/"lag":"0"/)
    const { code, stdout } = await watch.signal('SIGINT')
    expect(code).toBe(0)
    for (const line of jsonLines(stdout)) expect(line.time).toMatch(/^\d{4}-.*Z$/)
  })

  test('--watch of a directory sees what another process commits', async () => {
    const data = temporaryFolder()
    await seglog(['produce', 't', '--data', data], 'a\nb\n')
    await seglog(['consume', 't', '--group', 'g', '--count', '1', '--data', data])
    const watch = new RunningCli(['lag', 'g', '--watch', '0.1', '--data', data])
    await watch.says(/"lag":"1"/)
    await seglog(['consume', 't', '--group', 'g', '--count', '1', '--data', data])
    await watch.says(/"lag":"0"/)
    expect((await watch.signal('SIGTERM')).code).toBe(0)
  })

  test.each([['0'], ['x'], ['1e9']])('--watch %s is wrong usage', async (seconds) => {
    expect((await seglog(['lag', '--watch', seconds, '--data', 'nowhere'])).code).toBe(2)
  })
})
