import { type ConfigTable, intConfig } from './config-def.js'

/** The configs that a group can have of its own; without one the broker's key beside it counts. */
export const groupConfigs: ConfigTable = {
  'consumer.heartbeat.interval.ms': intConfig(
    5000,
    1,
    'How often members of the group are told to be heard of, by the consumer protocol; within the bounds of the broker.',
    { used: true, synonyms: ['group.consumer.heartbeat.interval.ms'] },
  ),
  'consumer.session.timeout.ms': intConfig(
    45_000,
    1,
    'How long a member of the group may be silent, by the consumer protocol; within the bounds of the broker.',
    { used: true, synonyms: ['group.consumer.session.timeout.ms'] },
  ),
}
