import { describe, expect, it } from 'vitest'
import { BrokerConfig } from '../../ts/broker/broker-config.js'
import { serverLimits } from '../../ts/server/limits.js'

describe('limits of the server', () => {
  it('are the configs, -1 being no limit', () => {
    const config = new BrokerConfig({
      'connections.max.idle.ms': -1,
      'queued.max.request.bytes': -1,
      'max.connections': 7,
    })
    expect(serverLimits(config)).toMatchObject({
      requestBytes: 104_857_600,
      connections: 7,
      idleMs: Number.POSITIVE_INFINITY,
      queuedBytes: Number.POSITIVE_INFINITY,
    })
  })

  it('of connections follow the configs while the server runs', () => {
    const config = new BrokerConfig({ 'max.connections.per.ip': 3 })
    const limits = serverLimits(config)
    config.setLayer('dynamic', { 'max.connections': '1', 'max.connections.per.ip': '2' })
    expect([limits.connections, limits.connectionsFrom('10.0.0.1')]).toEqual([1, 2])
    config.setLayer('dynamic', { 'max.connections.per.ip.overrides': '10.0.0.1:5, [::1]:6,fe80::1:7' })
    const allowed = ['10.0.0.1', '10.0.0.2', '::1', 'fe80::1'].map((address) => limits.connectionsFrom(address))
    expect(allowed).toEqual([5, 3, 6, 7])
  })

  it('for single addresses have to be well written', () => {
    const given = (overrides: string) => () => new BrokerConfig({ 'max.connections.per.ip.overrides': overrides })
    expect(given('')).not.toThrow()
    for (const wrong of ['10.0.0.1', '10.0.0.1:', ':5', '10.0.0.1:-1', '10.0.0.1:5,', 'a b:5']) {
      expect(given(wrong)).toThrow(/must be address:count/)
    }
  })
})
