import { describe, expect, test } from 'vitest'
import { apiKey, apis } from '../../ts/protocol/apis.js'
import { protocolErrors } from '../../ts/protocol/errors.js'
import { TestBroker } from './harness.js'

const software = { clientSoftwareName: 'test-client', clientSoftwareVersion: '1.0.2' }

describe('ApiVersions', () => {
  test('offers what has a handler, Produce from version 0', async () => {
    const broker = await TestBroker.open('memory:')
    const { errorCode, apiKeys } = await broker.ask(apiKey.apiVersions, software)
    expect(errorCode).toBe(0)
    expect(apiKeys).toContainEqual({ apiKey: apiKey.produce, minVersion: 0, maxVersion: 13 })
    expect(apiKeys).toContainEqual({ apiKey: apiKey.fetch, minVersion: 4, maxVersion: 18 })
    expect(apiKeys).toContainEqual({ apiKey: apiKey.apiVersions, minVersion: 0, maxVersion: 4 })
    expect(new Set(apiKeys.map((api) => api.apiKey)).size).toBe(apiKeys.length)
  })

  test('says by a feature that there are groups of the consumer protocol', async () => {
    const broker = await TestBroker.open('memory:')
    const answer = await broker.ask(apiKey.apiVersions, software)
    expect(answer.supportedFeatures).toEqual([{ name: 'group.version', minVersion: 0, maxVersion: 1 }])
    expect(answer.finalizedFeatures).toEqual([{ name: 'group.version', maxVersionLevel: 1, minVersionLevel: 1 }])
    expect(answer.finalizedFeaturesEpoch).toBe(1n)
    const older = await broker.ask(apiKey.apiVersions, software, { apiVersion: 3 })
    expect(older.supportedFeatures).toEqual([{ name: 'group.version', minVersion: 1, maxVersion: 1 }])
  })

  test('offers no version that the codec cannot read', async () => {
    const broker = await TestBroker.open('memory:')
    const { apiKeys } = await broker.ask(apiKey.apiVersions, software)
    for (const { apiKey: key, minVersion, maxVersion } of apiKeys) {
      const { versions } = apis[key as keyof typeof apis].request
      if (key !== apiKey.produce) expect(minVersion).toBeGreaterThanOrEqual(versions.from)
      expect(maxVersion).toBeLessThanOrEqual(versions.to)
    }
  })

  test.each([
    ['', '1'],
    ['kcat', ''],
    ['-kcat', '1'],
    ['kcat', '1.'],
    ['ka cat', '1'],
    ['k\n', '1'],
  ])('refuses the software %j of version %j, from version 3 on', async (clientSoftwareName, clientSoftwareVersion) => {
    const broker = await TestBroker.open('memory:')
    const request = { clientSoftwareName, clientSoftwareVersion }
    const refused = await broker.ask(apiKey.apiVersions, request, { apiVersion: 3 })
    expect(refused).toMatchObject({ errorCode: protocolErrors.INVALID_REQUEST.code, apiKeys: [] })
    const old = await broker.ask(apiKey.apiVersions, request, { apiVersion: 2 })
    expect(old.errorCode).toBe(0)
  })
})
