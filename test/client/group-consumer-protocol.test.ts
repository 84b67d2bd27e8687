import { describe } from 'vitest'
import { useProtocol } from './group-setup.js'
import './target.js'

/** What members of groups do, once more by the consumer protocol. */

useProtocol('consumer')

describe('by the consumer protocol', async () => {
  await import('./group-consumer.test.js')
})
