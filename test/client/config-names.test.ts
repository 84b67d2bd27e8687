import { expect, test } from 'vitest'
import { openMemory } from './open-memory.js'
import { rejection } from './rejection.js'

test('a config nobody knows names the nearest one', async () => {
  const admin = (await openMemory()).admin()
  const config = { 'max.mesage.bytes': 5 }
  for (const call of [
    admin.createTopic({ topic: 'u', config }),
    admin.createTopic({ topic: 't' }).then(() => admin.alterConfigs({ topic: 't', set: config })),
  ]) {
    const error = await rejection(call)
    expect(error).toMatchObject({ code: 'UNKNOWN_CONFIG' })
    expect(error.message).toContain('max.message.bytes')
  }
})
