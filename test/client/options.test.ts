import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { consumerOptions } from '../../ts/client/consumer-options.js'
import { groupSettings } from '../../ts/client/group/group-options.js'
import { checkOptions, editDistance, integer, nearest, oneOf } from '../../ts/client/options.js'
import { producerOptions } from '../../ts/client/producer-options.js'
import { open } from '../../ts/index.js'
import { rejection } from './rejection.js'

function thrown(work: () => unknown): { code?: string; message?: string } {
  try {
    work()
  } catch (error) {
    return error as Error
  }
  throw new Error('it was expected to throw')
}

describe('options', () => {
  test('a misspelled option names the right one', () => {
    const error = thrown(() => producerOptions({ batchsize: 1 } as never))
    expect(error).toMatchObject({
      code: 'MISSPELLED_OPTION',
      message: 'Misspelled option `batchsize` should be `batchSize`',
      key: 'batchsize',
    })
  })

  test('an unknown option lists those there are', () => {
    expect(thrown(() => consumerOptions({ colour: 'red' } as never)).message).toMatch(
      /^Unknown option `colour` of log\.consumer\(\); it knows clientId, /,
    )
  })

  test.each([
    [{ acks: 2 }, 'Option `acks` of log.producer() must be one of 0, 1, -1, "all", got 2'],
    [{ linger: -1 }, 'Option `linger` of log.producer() must be an integer from 0 to 2147483647, got -1'],
    [{ linger: '5' }, 'Option `linger` of log.producer() must be an integer from 0 to 2147483647, got "5"'],
    [
      { compression: 'brotli' },
      'Option `compression` of log.producer() must be one of "none", "gzip", "snappy", "lz4", "zstd", got "brotli"',
    ],
    [{ idempotent: true, acks: 1 }, "Option `acks` of log.producer() must be 'all' where `idempotent` is true, got 1"],
    [[], 'The options of log.producer() must be an object, got an array'],
  ])('producer options %j', (options, message) => {
    expect(thrown(() => producerOptions(options as never))).toMatchObject({ code: 'INVALID_OPTION', message })
  })

  test.each([
    [
      { groupInstanceId: 'a' },
      'Option `groupInstanceId` of log.consumer() must be left out where there is no `groupId`, got "a"',
    ],
    [
      { groupId: 'g', partitionAssigners: ['roundrobin'] },
      "Option `partitionAssigners` of log.consumer() must be an array of 'range', 'roundRobin', 'sticky', 'cooperative-sticky', got an array",
    ],
    [
      { groupId: 'g', sessionTimeout: 6000, heartbeatInterval: 6000 },
      'Option `heartbeatInterval` of log.consumer() must be less than sessionTimeout (6000), got 6000',
    ],
  ])('group options %j', (options, message) => {
    const check = () => {
      consumerOptions(options as never)
      groupSettings(options as never)
    }
    expect(thrown(check)).toMatchObject({ code: 'INVALID_OPTION', message })
  })

  test('of a group, by themselves', () => {
    expect(groupSettings({ groupId: 'g', sessionTimeout: 6000 })).toMatchObject({
      heartbeatInterval: 2000,
      partitionAssigners: ['range', 'cooperative-sticky'],
      autoCommit: true,
    })
  })

  test('what comes with a later release says so', () => {
    expect(thrown(() => producerOptions({ transactionalId: 'x' } as never)).code).toBe('UNSUPPORTED')
  })

  test.each([
    ['latest', true],
    [{ offset: 5n }, true],
    [{ offset: 5 }, true],
    [{ timestamp: 0 }, true],
    ['begin', false],
    [{ offset: -1n }, false],
    [{ offset: 1.5 }, false],
    [{ offset: 1n, timestamp: 2 }, false],
    [{}, false],
  ])('from %o', (from, isGood) => {
    const make = () => consumerOptions({ from } as never)
    if (isGood) expect(make().from).toEqual(from)
    else expect(thrown(make).code).toBe('INVALID_OPTION')
  })

  test('undefined stands for not given', () => {
    expect(producerOptions({ acks: undefined }).acks).toBe(-1)
  })

  test('open checks its arguments', async () => {
    expect(await rejection(open('' as never))).toMatchObject({ code: 'INVALID_OPTION' })
    expect(await rejection(open(5 as never))).toMatchObject({ code: 'INVALID_OPTION' })
    expect(await rejection(open('/tmp/a\0b'))).toMatchObject({ code: 'INVALID_OPTION' })
    expect(await rejection(open('memory:', { readonly: true } as never))).toMatchObject({
      message: 'Misspelled option `readonly` should be `readOnly`',
    })
    expect(await rejection(open('memory:', { signal: AbortSignal.abort() }))).toMatchObject({ code: 'ABORTED' })
    expect(await rejection(open('memory:', { logger: {} as never }))).toMatchObject({ code: 'INVALID_OPTION' })
  })

  test('the value in a message is short', () => {
    const rules = { n: integer(0), s: oneOf('a') }
    expect(thrown(() => checkOptions('x', { s: 'b'.repeat(1000) }, rules)).message!.length).toBeLessThan(120)
    expect(thrown(() => checkOptions('x', { n: Buffer.alloc(7) }, rules)).message).toContain('got 7 bytes')
  })
})

describe('edit distance', () => {
  test.each([
    ['', 'abc', 3],
    ['linger', 'linger', 0],
    ['lniger', 'linger', 1],
    ['kitten', 'sitting', 3],
  ])('%s to %s', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance)
  })

  test('is a distance', () => {
    const word = fc.string({ maxLength: 8 })
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b)
        expect(distance).toBe(editDistance(b, a))
        expect(distance === 0).toBe(a === b)
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length))
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length))
      }),
    )
  })

  test('nothing near gives nothing', () => {
    expect(nearest('colour', ['acks', 'linger'])).toBeNull()
  })
})
