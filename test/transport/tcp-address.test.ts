import { describe, expect, test } from 'vitest'
import { open } from '../../ts/index.js'
import { addressName, parseKafkaTarget } from '../../ts/transport/tcp-address.js'
import { rejection } from '../client/rejection.js'

describe('kafka:// targets', () => {
  test.each([
    ['kafka://localhost', ['localhost:9092']],
    ['kafka://a.example:1,b-2:65535', ['a.example:1', 'b-2:65535']],
    ['kafka://[::1]:9093, 127.0.0.1', ['[::1]:9093', '127.0.0.1:9092']],
  ])('%s', (target, addresses) => {
    expect(parseKafkaTarget(target).map(addressName)).toEqual(addresses)
  })

  test.each([
    'kafka://',
    'kafka://:9092',
    'kafka://a:0',
    'kafka://a:65536',
    'kafka://a:b',
    'kafka://a,,b',
    'kafka://user:secret@a:1',
    'kafka://a:1/topic',
    'kafka://::1',
  ])('%s is refused', async (target) => {
    expect(await rejection(open(target))).toMatchObject({ code: 'INVALID_OPTION', key: 'target' })
  })

  test('TLS is for later', async () => {
    expect(await rejection(open('kafka+ssl://a:1'))).toMatchObject({ code: 'UNSUPPORTED' })
  })

  test.each([
    [{ readOnly: true }, 'Option `readOnly` of open() is for a data directory only'],
    [{ config: {} }, 'Option `config` of open() is for a data directory only'],
    [{ connectionTimeOut: 5 }, 'Misspelled option `connectionTimeOut` should be `connectionTimeout`'],
    [{ connectionTimeout: 0 }, 'Option `connectionTimeout` of open() must be an integer from 1 to 2147483647, got 0'],
    [{ retry: { initialRetryTime: -1 } }, /`initialRetryTime` of open\(\) retry must be an integer from 1/],
    [{ retry: { retrys: 1 } }, /Unknown option `retrys` of open\(\) retry; it knows initialRetryTime, maxRetryTime/],
  ])('options %j', async (options, message) => {
    const error = await rejection(open('kafka://127.0.0.1:1', options as never))
    expect(error.code).toMatch(/^(INVALID|MISSPELLED)_OPTION$/)
    expect(error.message).toMatch(message)
  })

  test('what is for brokers only', async () => {
    expect(await rejection(open('memory:', { requestTimeout: 5 }))).toMatchObject({
      message: 'Option `requestTimeout` of open() is for kafka:// only',
    })
  })

  test('an aborted signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    expect(await rejection(open('kafka://127.0.0.1:1', { signal }))).toMatchObject({ code: 'ABORTED' })
  })
})
