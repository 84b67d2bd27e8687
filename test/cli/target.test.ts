import { describe, expect, test } from 'vitest'
import { targetOf } from '../../ts/cli/target.js'

describe('what a command works on', () => {
  test.each([
    [{}, {}, { kind: 'directory', path: './data' }],
    [{ data: 'd' }, {}, { kind: 'directory', path: 'd' }],
    [{}, { SEGLOG_DATA: 'e' }, { kind: 'directory', path: 'e' }],
    [{ data: 'd' }, { SEGLOG_BOOTSTRAP: 'h:1' }, { kind: 'directory', path: 'd' }],
    [{ bootstrap: 'h:1, i:2' }, { SEGLOG_DATA: 'e' }, { kind: 'brokers', path: 'kafka://h:1,i:2' }],
    [{ bootstrap: 'kafka://h:1' }, {}, { kind: 'brokers', path: 'kafka://h:1' }],
    [{ bootstrap: '[::1]:9092' }, {}, { kind: 'brokers', path: 'kafka://[::1]:9092' }],
    [{}, { SEGLOG_BOOTSTRAP: 'h:1', SEGLOG_DATA: '' }, { kind: 'brokers', path: 'kafka://h:1' }],
  ] as const)('%j with %j', (options, environment, expected) => {
    expect(targetOf(options, environment)).toEqual(expected)
  })

  test.each([
    [{ data: 'd', bootstrap: 'h:1' }, {}],
    [{}, { SEGLOG_DATA: 'd', SEGLOG_BOOTSTRAP: 'h:1' }],
    [{ bootstrap: '' }, {}],
    [{ bootstrap: 'h' }, {}],
    [{ bootstrap: 'h:1,' }, {}],
    [{ bootstrap: 'h:0' }, {}],
    [{ bootstrap: 'h:65536' }, {}],
    [{ bootstrap: 'http://h:1' }, {}],
    [{ bootstrap: '::1:9092' }, {}],
  ])('%j with %j is refused', (options, environment) => {
    expect(() => targetOf(options, environment)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  })
})
