import { SeglogError } from '../errors/seglog-error.js'
import type { BrokerConfig } from './broker-config.js'

/** Keys of which other keys say how little and how much they may be. */
const bounded = ['session.timeout.ms', 'heartbeat.interval.ms'].map((name) => ({
  key: `group.consumer.${name}`,
  min: `group.consumer.min.${name}`,
  max: `group.consumer.max.${name}`,
}))

/** What holds between configs that only a start may change. Throws INVALID_CONFIG. */
export function checkBounds(config: BrokerConfig): void {
  for (const { key, min, max } of bounded) {
    const value = config.number(key)
    if (value < config.number(min)) throw invalid(key, `must be at least ${min}, ${config.get(min)}, not ${value}`)
    if (value > config.number(max)) throw invalid(key, `must be at most ${max}, ${config.get(max)}, not ${value}`)
  }
  const [session, heartbeat] = bounded.map(({ key }) => key)
  if (config.number(heartbeat) < config.number(session)) return
  throw invalid(heartbeat, `must be less than ${session}, ${config.get(session)}`)
}

function invalid(key: string, why: string): SeglogError {
  return new SeglogError('INVALID_CONFIG', `${key} of the broker ${why}`, { key })
}
