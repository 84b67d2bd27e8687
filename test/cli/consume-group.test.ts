import { describe, expect, onTestFinished, test } from 'vitest'
import { serve } from '../../ts/index.js'
import { RunningCli, seglog, temporaryFolder } from './run-cli.js'

const text = ['--format', '%p:%o %v\\n']

async function serving() {
  const served = await serve('memory:', { port: 0 })
  onTestFinished(() => served.close())
  const to = ['--bootstrap', served.bootstrap]
  const consume = (...args: string[]) => seglog(['consume', 't', '--group', 'g', ...text, ...to, ...args])
  return { ...served, to, consume }
}

const sorted = (output: string) => output.split('\n').filter(Boolean).sort()

describe('consume --group', () => {
  test('goes on where it stopped: after a count, at the end, and interrupted', async () => {
    const { log, consume, to } = await serving()
    await log.admin().createTopic({ topic: 't', partitions: 1 })
    const send = (...values: string[]) =>
      log.producer().send({ topic: 't', messages: values.map((value) => ({ value })) })
    await send('a', 'b', 'c', 'd', 'e')
    expect(await consume('--count', '2')).toMatchObject({ code: 0, stdout: '0:0 a\n0:1 b\n' })
    expect((await consume('--count', '1')).stdout).toBe('0:2 c\n')
    expect((await consume('--exit-at-end')).stdout).toBe('0:3 d\n0:4 e\n')
    expect(await consume('--exit-at-end')).toMatchObject({ code: 0, stdout: '' })
    const running = new RunningCli(['consume', 't', '--group', 'g', ...text, ...to])
    await running.says(/group g: reads 0 of t/)
    await send('f')
    await running.says(/0:5 f\n/)
    expect(await running.signal('SIGINT')).toMatchObject({ code: 0, stdout: '0:5 f\n' })
    await send('g')
    expect((await consume('--exit-at-end')).stdout).toBe('0:6 g\n')
  })

  test('two members share the partitions, and one takes over when the other leaves', async () => {
    const { log, to } = await serving()
    await log.admin().createTopic({ topic: 't', partitions: 2 })
    const member = () => new RunningCli(['consume', 't', '--group', 'g', ...text, ...to])
    const first = member()
    await first.says(/group g: reads 0, 1 of t/)
    const second = member()
    const [, theirs] = await second.says(/group g: reads (\d) of t/)
    const [, ours] = await first.says(/group g: reads (\d) of t\n/)
    expect([ours, theirs].sort()).toEqual(['0', '1'])
    const producer = log.producer()
    await producer.send({ topic: 't', messages: [0, 1].map((partition) => ({ partition, value: 'x' })) })
    await first.says(new RegExp(`${ours}:0 x\n`))
    await second.says(new RegExp(`${theirs}:0 x\n`))
    expect((await second.signal('SIGTERM')).stdout).toBe(`${theirs}:0 x\n`)
    await producer.send({ topic: 't', messages: [0, 1].map((partition) => ({ partition, value: 'y' })) })
    await first.says(new RegExp(`${theirs}:1 y\n`))
    await first.says(new RegExp(`${ours}:1 y\n`))
    expect(sorted((await first.signal('SIGTERM')).stdout)).toEqual(
      [`${ours}:0 x`, `${ours}:1 y`, `${theirs}:1 y`].sort(),
    )
  })

  test('on a directory of this machine, from the end or the start', async () => {
    const data = temporaryFolder()
    const run = (...args: string[]) => seglog([...args, '--data', data])
    await seglog(['produce', 't', '--data', data], 'a\nb\n')
    const read = (group: string, ...args: string[]) =>
      run('consume', 't', '--group', group, '--exit-at-end', ...text, ...args)
    expect((await read('g', '--from', 'end')).stdout).toBe('')
    expect((await read('h')).stdout).toBe('0:0 a\n0:1 b\n')
    await seglog(['produce', 't', '--data', data], 'c\n')
    expect((await read('g')).stdout).toBe('0:2 c\n')
    expect((await read('h')).stdout).toBe('0:2 c\n')
  })

  test.each([[['--from', '5']], [['--from', '-5']], [['--partition', '0']]])(
    '%j with it is wrong usage',
    async (args) => {
      const data = temporaryFolder()
      expect((await seglog(['consume', 't', '--group', 'g', '--data', data, ...args])).code).toBe(2)
    },
  )
})
