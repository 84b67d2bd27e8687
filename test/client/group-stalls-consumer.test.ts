import { describe } from 'vitest'
import { useProtocol } from './group-setup.js'

/** Members that stand still, once more by the consumer protocol. */

useProtocol('consumer')

describe('by the consumer protocol', async () => {
  await import('./group-stalls.test.js')
})
