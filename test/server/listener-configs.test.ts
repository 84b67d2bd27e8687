import { expect, it } from 'vitest'
import { listen } from '../../ts/server/listen.js'

it('the configs name the addresses in use, once they are', async () => {
  const one = { host: '127.0.0.1', port: 0 }
  const listeners = [
    { name: 'A', ...one },
    { name: 'B', ...one, advertisedHost: '::5', advertisedPort: 7 },
  ]
  const running = await listen({ data: 'memory:', listeners })
  try {
    const [a, b] = running.listeners.map(({ port }) => port)
    const { config } = running.broker
    expect(config.list('listeners')).toEqual([`A://127.0.0.1:${a}`, `B://127.0.0.1:${b}`])
    expect(config.list('advertised.listeners')).toEqual([`A://127.0.0.1:${a}`, 'B://[::5]:7'])
  } finally {
    await running.close(0)
  }
})
